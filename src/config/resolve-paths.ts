import { resolve } from 'node:path';
import { AUDIT_TO_STDERR } from '../telemetry/audit-output.ts';
import type { GatewaySettings } from './schema.ts';

type TokenCache = GatewaySettings['tokenCache'];

type ListenerTls = NonNullable<GatewaySettings['server']['tls']>;

type Tls = NonNullable<GatewaySettings['downstreams'][string]['tls']>;

/**
 * Makes every path of gateway.yaml absolute, except those of the contract.
 *
 * @param folder what they are relative to
 */
export function resolvePaths(settings: GatewaySettings, folder: string): GatewaySettings {
  const { certificate, federatedTokenFile, secretFile } = settings.identity.credential;
  const credential = {
    ...settings.identity.credential,
    ...(certificate && {
      certificate: { cert: resolve(folder, certificate.cert), key: resolve(folder, certificate.key) },
    }),
    ...(federatedTokenFile && { federatedTokenFile: resolve(folder, federatedTokenFile) }),
    ...(secretFile && { secretFile: resolve(folder, secretFile) }),
  };
  const downstreams = Object.fromEntries(
    Object.entries(settings.downstreams).map(([name, { tls, ...downstream }]) => [
      name,
      { ...downstream, ...(tls && { tls: resolveTls(tls, folder) }) },
    ]),
  );
  const { tls, ...server } = settings.server;
  const { authorizationService: service } = settings;
  return {
    ...settings,
    server: { ...server, ...(tls && { tls: resolveListenerTls(tls, folder) }) },
    identity: { ...settings.identity, credential },
    downstreams,
    ...(service?.tls && {
      authorizationService: { ...service, tls: resolveListenerTls(service.tls, folder) },
    }),
    tokenCache: resolveLoginFiles(settings.tokenCache, folder),
    log: resolveLog(settings.log, folder),
  };
}

function resolveLog({ audit, ...log }: GatewaySettings['log'], folder: string): GatewaySettings['log'] {
  return { ...log, ...(audit !== undefined && { audit: audit === AUDIT_TO_STDERR ? audit : resolve(folder, audit) }) };
}

function resolveLoginFiles({ redis, ...others }: TokenCache, folder: string): TokenCache {
  if (redis === undefined) {
    return others;
  }
  const { url, entra, ...files } = redis;
  const paths = Object.entries(files).map(([key, file]) => [key, file && resolve(folder, file)]);
  return { ...others, redis: { url, entra, ...(Object.fromEntries(paths) as typeof files) } };
}

function resolveListenerTls({ cert, key, clientCa }: ListenerTls, folder: string): ListenerTls {
  return {
    cert: resolve(folder, cert),
    key: resolve(folder, key),
    ...(clientCa !== undefined && { clientCa: resolve(folder, clientCa) }),
  };
}

function resolveTls({ serverName, ...files }: Tls, folder: string): Tls {
  const paths = Object.entries(files).map(([key, file]) => [key, file && resolve(folder, file)]);
  return { ...(Object.fromEntries(paths) as typeof files), ...(serverName && { serverName }) };
}

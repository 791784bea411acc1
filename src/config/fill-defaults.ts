import { Authority } from '../entra/authority.ts';
import { toUrl } from '../network/to-url.ts';
import type { RedisAddress } from '../redis/redis-address.ts';
import { listAudiences } from './list-audiences.ts';
import type { GatewaySettings } from './schema.ts';

/** One downstream of gateway.yaml. */
export interface DownstreamConfig extends Readonly<GatewaySettings['downstreams'][string]> {
  /** The scope of the gateway's own token: everything that it may do at the resource of the scopes. */
  readonly applicationScope: string;
}

/** Native authentication of gateway.yaml. */
export interface NativeAuthConfig extends Readonly<NonNullable<GatewaySettings['nativeAuth']>> {
  readonly origins: string[];
}

/** gateway.yaml with the defaults that follow from other keys. */
export interface FilledSettings extends Omit<GatewaySettings, 'downstreams' | 'nativeAuth' | 'tokenCache'> {
  readonly downstreams: Readonly<Record<string, DownstreamConfig>>;
  readonly nativeAuth?: NativeAuthConfig;
  readonly tokenCache: {
    readonly maxSessions: number;
    /** Where the second level is, if there is one. */
    readonly redis?: RedisAddress;
  };
}

/**
 * Fills in the defaults that follow from other keys, and names every scope with its resource. The public address may
 * depend on a port that the system chooses, and so follows later: {@link namePublicUrl}.
 */
export function fillDefaults({ downstreams, nativeAuth, tokenCache, ...settings }: GatewaySettings): FilledSettings {
  const { identity, server } = settings;
  const { maxSessions, redis } = tokenCache;
  return {
    ...settings,
    identity: { ...identity, audiences: listAudiences(identity) },
    downstreams: fillScopes(downstreams, new Authority(identity.authority, identity.tenant)),
    ...(nativeAuth && { nativeAuth: { ...nativeAuth, origins: nativeAuth.origins ?? server.cors.origins } }),
    tokenCache: { maxSessions, ...(redis && { redis: placeLoginFiles(redis) }) },
  };
}

function placeLoginFiles({ url, ...loginFiles }: NonNullable<GatewaySettings['tokenCache']['redis']>): RedisAddress {
  return Object.keys(loginFiles).length === 0 ? url : { ...url, loginFiles };
}

/**
 * Names the address at which clients reach the gateway: that of gateway.yaml, else the one that it listens on.
 *
 * @param port the one that the gateway listens on
 */
export function namePublicUrl(
  { publicUrl, host }: Pick<GatewaySettings['server'], 'publicUrl' | 'host'>,
  port: number,
): string {
  return publicUrl ?? toUrl(host, port);
}

function fillScopes(
  downstreams: GatewaySettings['downstreams'],
  authority: Authority,
): Readonly<Record<string, DownstreamConfig>> {
  return Object.fromEntries(
    Object.entries(downstreams).map(([name, downstream]) => {
      const scopes = downstream.scopes.map((scope) => authority.qualifyScope(scope));
      const applicationScope = `${authority.resourceOf(scopes[0] ?? '')}/.default`;
      return [name, { ...downstream, scopes, applicationScope }];
    }),
  );
}

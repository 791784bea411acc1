import { availableParallelism } from 'node:os';
import { Authority } from '../entra/authority.ts';
import { toUrl } from '../network/to-url.ts';
import type { RedisAddress } from '../redis/redis-address.ts';
import type { MemoryLimit } from '../runtime/memory-limit.ts';
import { listAudiences } from './list-audiences.ts';
import { planMemory, type MemoryPlan } from './plan-memory.ts';
import type { GatewaySettings } from './schema.ts';

/** One downstream of gateway.yaml. */
export interface DownstreamConfig extends Readonly<GatewaySettings['downstreams'][string]> {
  /** `isIdleSet` where gateway.yaml says `idle`, and its default does not count. */
  readonly timeout: GatewaySettings['downstreams'][string]['timeout'] & { readonly isIdleSet?: boolean };
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
  /** What the memory of the container is used for. */
  readonly memory: MemoryPlan;
}

/** What the defaults depend on besides gateway.yaml. */
export interface Surroundings {
  readonly memoryLimit: MemoryLimit;
  /** Bytes of the largest body that is held as a whole. */
  readonly largestBodyBytes: number;
  /** What `tokenCache.maxSessions` is where gateway.yaml has none; default as many as fit. */
  readonly defaultMaxSessions?: number | undefined;
}

/**
 * Fills in the defaults that follow from other keys, and names every scope with its resource. The public address may
 * depend on a port that the system chooses, and so follows later: {@link namePublicUrl}.
 */
export function fillDefaults(
  { downstreams, nativeAuth, tokenCache, ...settings }: GatewaySettings,
  { memoryLimit, largestBodyBytes, defaultMaxSessions }: Surroundings,
): FilledSettings {
  const { identity, server } = settings;
  const { maxSessions, redis } = tokenCache;
  const memory = planMemory(memoryLimit, {
    workers: countWorkers(server),
    downstreams: Object.keys(downstreams).length,
    maxSessions: maxSessions ?? defaultMaxSessions,
    largestBodyBytes,
  });
  return {
    ...settings,
    identity: { ...identity, audiences: listAudiences(identity) },
    downstreams: fillScopes(downstreams, new Authority(identity.authority, identity.tenant)),
    ...(nativeAuth && { nativeAuth: { ...nativeAuth, origins: nativeAuth.origins ?? server.cors.origins } }),
    tokenCache: { maxSessions: memory.maxSessions, ...(redis && { redis: placeLoginFiles(redis) }) },
    memory,
  };
}

/** Counts the processes that serve; `auto` is one for each core. */
export function countWorkers({ workers }: Pick<GatewaySettings['server'], 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

function placeLoginFiles({
  url,
  entra,
  ...loginFiles
}: NonNullable<GatewaySettings['tokenCache']['redis']>): RedisAddress {
  return { ...url, ...(entra && { entra }), ...(Object.keys(loginFiles).length > 0 && { loginFiles }) };
}

/**
 * Names the address at which clients reach the gateway: that of gateway.yaml, else the one that it listens on.
 *
 * @param port the one that the gateway listens on
 */
export function namePublicUrl(
  { publicUrl, host, tls }: Pick<GatewaySettings['server'], 'publicUrl' | 'host' | 'tls'>,
  port: number,
): string {
  return publicUrl ?? toUrl(host, port, tls ? 'https' : 'http');
}

/**
 * Names the address at which engines ask about calls; `undefined` where gateway.yaml does not turn it on.
 *
 * @param port the one that it listens on; default that of gateway.yaml
 */
export function nameAuthorizationService(
  { authorizationService }: Pick<GatewaySettings, 'authorizationService'>,
  port = authorizationService?.port ?? 0,
): string | undefined {
  return authorizationService && toUrl(authorizationService.host, port, authorizationService.tls ? 'https' : 'http');
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

import { Authority } from '../entra/authority.ts';
import { toUrl } from '../network/to-url.ts';
import type { RedisAddress } from '../redis/redis-address.ts';
import { listAudiences } from './list-audiences.ts';
import type { GatewaySettings } from './schema.ts';

/** One downstream of gateway.yaml. */
export interface DownstreamConfig extends Readonly<GatewaySettings['downstreams'][string]> {
  /** What a token of the gateway's own is asked for: whatever it may do at the resource of the scopes. */
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
 * Fills in the defaults that follow from other keys, and names every scope with its resource. What follows from a port
 * that is left to the system is known only later: {@link namePublicUrl}.
 */
export function fillDefaults({ downstreams, nativeAuth, tokenCache, ...settings }: GatewaySettings): FilledSettings {
  const { identity, server } = settings;
  const { maxSessions, redis } = tokenCache;
  return {
    ...settings,
    identity: { ...identity, audiences: listAudiences(identity) },
    downstreams: nameScopes(downstreams, new Authority(identity.authority, identity.tenant)),
    ...(nativeAuth && { nativeAuth: { ...nativeAuth, origins: nativeAuth.origins ?? server.cors.origins } }),
    tokenCache: { maxSessions, ...(redis && { redis: redis.url }) },
  };
}

/**
 * How clients reach the gateway, unless gateway.yaml says so.
 *
 * @param port the one that the gateway listens on
 */
export function namePublicUrl(
  { publicUrl, host }: Pick<GatewaySettings['server'], 'publicUrl' | 'host'>,
  port: number,
): string {
  return publicUrl ?? toUrl(host, port);
}

function nameScopes(
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

import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../failures.ts';
import type { GatewayConfig } from './load-config.ts';
import { readKey } from './tree.ts';

/** When a changed key of gateway.yaml counts: for the next request after a reload, or only after a restart. */
export type Reloading = 'at once' | 'restart';

/**
 * When each key counts. A key stands here itself, or as a part of one that only counts as a whole. What names files that
 * are read again by themselves, such as certificates, counts at once with what stands in the files.
 */
export const RELOADING: Readonly<Record<string, Reloading>> = {
  contract: 'at once',
  'server.host': 'restart',
  'server.port': 'restart',
  'server.publicUrl': 'at once',
  'server.trustedProxies': 'at once',
  'server.cors.origins': 'at once',
  'server.cors.exposedHeaders': 'at once',
  'server.docs': 'at once',
  'server.bodyLimit': 'at once',
  'server.headLimit': 'restart',
  'server.keepAlive': 'at once',
  'server.tls': 'restart',
  'server.proxyProtocol': 'restart',
  'server.maxConnections': 'at once',
  'server.maxInFlight': 'at once',
  'server.drainDelay': 'at once',
  'server.drainTimeout': 'at once',
  'server.workers': 'restart',
  'server.management': 'restart',
  'identity.authority': 'restart',
  'identity.tenant': 'restart',
  'identity.allowedTenants': 'at once',
  'identity.clientId': 'restart',
  'identity.audiences': 'at once',
  'identity.allowedClients': 'at once',
  'identity.requireClientCapability': 'at once',
  'identity.boundTokens': 'at once',
  'identity.clockTolerance': 'at once',
  'identity.consentRedirectUri': 'at once',
  'identity.credential': 'restart',
  'downstreams.{name}.baseUrl': 'at once',
  'downstreams.{name}.scopes': 'at once',
  'downstreams.{name}.agent': 'at once',
  'downstreams.{name}.timeout.connect': 'at once',
  'downstreams.{name}.timeout.response': 'at once',
  'downstreams.{name}.timeout.idle': 'at once',
  'downstreams.{name}.headers.set': 'at once',
  'downstreams.{name}.headers.pass': 'at once',
  'downstreams.{name}.query': 'at once',
  'downstreams.{name}.tls': 'at once',
  'downstreams.{name}.connections.maxAge': 'at once',
  'downstreams.{name}.headLimit': 'at once',
  'downstreams.{name}.proxy': 'at once',
  'nativeAuth.path': 'at once',
  'nativeAuth.origins': 'at once',
  'nativeAuth.clients': 'at once',
  'nativeAuth.rateLimit': 'at once',
  'mcp.authorizationServer': 'at once',
  'mcp.register': 'at once',
  'mcp.clientId': 'at once',
  'mcp.rateLimit': 'at once',
  'authorizationService.host': 'restart',
  'authorizationService.port': 'restart',
  'authorizationService.tls': 'restart',
  'authorizationService.callers': 'at once',
  'authorizationService.tokenEndpoints': 'at once',
  tokenCache: 'restart',
  'log.level': 'at once',
  'log.requests': 'at once',
  'log.audit': 'at once',
  'log.whenBlocked': 'at once',
};

/** The sections that open a listener by being there: only a restart opens or closes one, whatever stands in it. */
const LISTENERS = ['authorizationService'];

/** A key whose value differs between two configurations. */
export interface ChangedKey {
  /** As messages show it: `downstreams.graph.scopes`; a downstream that came or went is one key. */
  readonly key: string;
  readonly reloading: Reloading;
}

/** Lists the keys whose values, defaults included, differ between two configurations. */
export function listChanges(before: GatewayConfig, after: GatewayConfig): readonly ChangedKey[] {
  const [one, other] = [comparable(before), comparable(after)];
  const found = Object.entries(RELOADING).flatMap(([pattern, reloading]) =>
    expand(pattern, one, other)
      .filter((key) => !isDeepStrictEqual(readPath(one, key), readPath(other, key)))
      .map((key) => ({ key, reloading })),
  );
  return [...new Map(found.map((change) => [change.key, change])).values()];
}

/**
 * Lists the keys by which a running gateway differs from a configuration that it shall follow.
 *
 * @throws {ConfigError} when one of them needs a restart
 */
export function listReloadable(running: GatewayConfig, next: GatewayConfig): readonly string[] {
  const changes = listChanges(running, next);
  const fixed = changes.filter(({ reloading }) => reloading === 'restart');
  if (fixed.length > 0) {
    throw new ConfigError(fixed.map(({ key }) => ({ at: key, message: 'only a restart can change this' })));
  }
  return changes.map(({ key }) => key);
}

/**
 * The configuration with the contract as it is written, because what is made of it holds functions, and with `idle` as
 * another value where it is written, because that counts for more answers than the same default.
 */
function comparable({ contract, downstreams, ...settings }: GatewayConfig): unknown {
  return {
    ...settings,
    downstreams: Object.fromEntries(
      Object.entries(downstreams).map(([name, { timeout, ...downstream }]) => {
        const { idle, isIdleSet = false } = timeout;
        return [name, { ...downstream, timeout: { ...timeout, idle: [idle, isIdleSet] } }];
      }),
    ),
    contract: contract.documents.map(({ source, document: { root } }) => ({ source, root })),
  };
}

/** Names the keys of a pattern; what only one of the two has is its whole section. */
function expand(pattern: string, one: unknown, other: unknown): readonly string[] {
  const [section = '', rest] = pattern.split('.{name}');
  if (rest === undefined) {
    return [pattern];
  }
  const names = new Set([one, other].flatMap((tree) => Object.keys((readPath(tree, section) as object) ?? {})));
  return [...names].map((name) => {
    const whole = `${section}.${name}`;
    return [one, other].every((tree) => readPath(tree, whole) !== undefined) ? `${whole}${rest}` : whole;
  });
}

function readPath(tree: unknown, path: string): unknown {
  return path.split('.').reduce((value, key) => readKey(value, key), tree);
}

/**
 * Puts the values of a running gateway in the place of those that need a restart.
 *
 * @param tree gateway.yaml as it is now
 * @param running gateway.yaml as the gateway was started with
 */
export function keepUntilRestart(tree: unknown, running: unknown): unknown {
  const kept = LISTENERS.filter((key) => hasKey(tree, key) !== hasKey(running, key)).reduce(
    (before, key) => withPath(before, [key], readKey(running, key)),
    tree,
  );
  return Object.entries(RELOADING)
    .filter(([, reloading]) => reloading === 'restart')
    .reduce((before, [key]) => withPath(before, key.split('.'), readPath(running, key)), kept);
}

function hasKey(tree: unknown, key: string): boolean {
  return readKey(tree, key) !== undefined;
}

/** A tree with another value below a path; `undefined` takes away what is there. */
function withPath(tree: unknown, [key = '', ...rest]: readonly string[], value: unknown): unknown {
  const { [key]: before, ...others } = (tree ?? {}) as Record<string, unknown>;
  const after = rest.length === 0 ? value : withPath(before, rest, value);
  return after === undefined || (before === undefined && value === undefined) ? others : { ...others, [key]: after };
}

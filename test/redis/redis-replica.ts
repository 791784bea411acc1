import { generateKeyPairSync } from 'node:crypto';
import type { EntraLoginSettings } from '../../src/redis/entra-login.ts';
import { parseRedisAddress, type RedisLoginFiles } from '../../src/redis/redis-address.ts';
import { RedisTokenStore } from '../../src/redis/redis-token-store.ts';
import { RedisTokens } from '../../src/redis/redis-tokens.ts';
import { planToken, type DownstreamToken, type FetchedToken } from '../../src/session/downstream-token.ts';
import { toPrincipal } from '../../src/session/principal.ts';
import { Session } from '../../src/session/session.ts';
import { nameTokens, type TokenRequest } from '../../src/session/token-source.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createEventLog } from '../../src/telemetry/events.ts';
import { until } from '../support/gateway-poll.ts';
import { Clock } from '../support/token-clock.ts';

/** One replica's second level, and what it did. */
export interface Replica {
  readonly store: RedisTokenStore;
  readonly tokens: RedisTokens;
  readonly clock: Clock;
  /** How its look-ups ended. */
  readonly outcomes: string[];
  readonly log: Record<string, unknown>[];
  /** How often it asked Entra. */
  readonly asked: () => number;
  /** How Entra answers; default with another token each time. */
  answer: () => Promise<FetchedToken>;
  /** Gets a token, from Redis or Entra. */
  acquire(place?: Place): Promise<string>;
  /** Lets a token take the place of what lies in Redis. */
  renew(token: DownstreamToken): Promise<unknown>;
}

/** Whose token, and for what. */
export interface Place {
  readonly assertion: string;
  /** Milliseconds since the epoch. */
  readonly assertionEndsAt: number;
  readonly downstream: string;
  readonly scopes: readonly string[];
  /** The client id of the agent identity that gets it; default none. */
  readonly agent?: string;
  readonly caller?: 'user' | 'app';
}

/** Whose token most tests want. */
export const PLACE: Place = {
  assertion: 'eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJhIn0.c2lnbmF0dXJl',
  assertionEndsAt: Number.MAX_SAFE_INTEGER,
  downstream: 'graph',
  scopes: ['https://graph.microsoft.com/User.Read'],
};

/** What may differ from the usual replica. */
export interface Differences {
  readonly clientId?: string;
  /** Default 2,000. */
  readonly lookupTimeoutMs?: number;
  /** Files with what the address lacks. */
  readonly loginFiles?: RedisLoginFiles;
  /** A login by Entra in their place. */
  readonly entra?: EntraLoginSettings;
  readonly fetchToken?: () => Promise<DownstreamToken>;
  readonly renewalIntervalMs?: number;
}

const { publicKey } = generateKeyPairSync('ed25519');

/** The request that wants it. */
export function toRequest({ assertion, assertionEndsAt, caller = 'user', ...place }: Place): TokenRequest {
  const { downstream, scopes, agent } = place;
  const claims = { tid: 'home', oid: 'adele', azp: 'client' };
  const session = new Session({
    rules: { clockTolerance: 0 },
    principal: toPrincipal(
      caller === 'user' ? { ...claims, scp: 'read' } : { ...claims, idtyp: 'app', roles: ['all'] },
    ),
    assertionExpSeconds: assertionEndsAt / 1_000,
    signingKey: { kid: 'k', publicKey, issuer: undefined, retired: false },
  });
  return {
    session,
    assertion: () => assertion,
    downstream: { name: downstream, scopes, applicationScope: '', agent, key: nameTokens(downstream, scopes, agent) },
    claims: '',
    correlationId: undefined,
  };
}

let given = 0;

/** A new token that lives for an hour. */
export function newToken(now: number): DownstreamToken {
  given += 1;
  return planToken(`token ${given}`, now, { expiresIn: 3_600, refreshIn: undefined });
}

/** The same, as Entra gives it. */
export function fromEntra(token: DownstreamToken): Promise<FetchedToken> {
  return Promise.resolve({ token, from: 'entra', correlationId: undefined });
}

/** Makes a replica; not connected yet. */
export function makeReplica(url: string, differs: Differences = {}): Replica {
  const clock = new Clock();
  const outcomes: string[] = [];
  const log: Replica['log'] = [];
  let asked = 0;
  const logger = createLogger({ write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  const store = new RedisTokenStore({
    address: {
      ...parseRedisAddress(url),
      loginFiles: differs.loginFiles ?? {},
      ...(differs.entra && { entra: differs.entra }),
    },
    fetchToken: differs.fetchToken,
    renewalIntervalMs: differs.renewalIntervalMs,
    clientId: differs.clientId ?? '6e74172b-be56-4843-9ff4-e66a39bb12e3',
    authority: 'https://login.microsoftonline.com',
    now: clock.now,
    monotonicMs: clock.monotonicMs,
    // A busy machine must not look like a Redis in trouble.
    lookupTimeoutMs: differs.lookupTimeoutMs ?? 2_000,
    log: logger,
    recordEvent: createEventLog(logger, undefined),
    onLookup: (outcome) => void outcomes.push(outcome),
  });
  const entra = {
    acquire(): Promise<FetchedToken> {
      asked += 1;
      return replica.answer();
    },
  };
  const tokens = new RedisTokens(entra, store);
  const replica: Replica = {
    store,
    tokens,
    clock,
    outcomes,
    log,
    asked: () => asked,
    answer: () => fromEntra(newToken(clock.now())),
    async acquire(place = PLACE) {
      return (await tokens.acquire(toRequest(place))).token.accessToken;
    },
    renew(token) {
      return new RedisTokens({ acquire: () => fromEntra(token) }, store).acquire({
        ...toRequest(PLACE),
        isRefresh: true,
      });
    },
  };
  return replica;
}

/** Makes a replica and waits until it is connected. */
export async function startReplica(url: string, differs: Differences = {}): Promise<Replica> {
  const replica = makeReplica(url, differs);
  await replica.store.open();
  await untilConnected(replica);
  return replica;
}

/** Waits until look-ups get an answer; at most twenty seconds, or so many milliseconds. */
export async function untilConnected({ store, outcomes, clock }: Replica, patience?: number): Promise<void> {
  const entry = store.entryOf(toRequest({ ...PLACE, assertion: 'nobody' }));
  const answers = async (): Promise<boolean> => {
    await store.lookUp(entry);
    if (outcomes.at(-1) === 'skipped') {
      clock.advance(1_000);
    }
    return outcomes.at(-1) === 'miss';
  };
  await until('Redis answers', answers, patience);
  outcomes.length = 0;
}

import { planToken, type DownstreamToken, type FetchedToken } from '../../src/downstream-tokens.ts';
import { parseRedisAddress } from '../../src/token-cache/redis-address.ts';
import { SharedTokens, type TokenPlace } from '../../src/token-cache/shared-tokens.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { until } from '../support/gateway-poll.ts';
import { Clock } from '../support/token-clock.ts';

/** One replica's second level, and what it did. */
export interface Replica {
  readonly tokens: SharedTokens;
  readonly clock: Clock;
  /** How its look-ups ended. */
  readonly outcomes: string[];
  readonly log: Record<string, unknown>[];
  /** How often it asked Entra. */
  readonly asked: () => number;
  /** Gets a token, from an Entra that gives another one each time. */
  acquire(place?: TokenPlace): Promise<string>;
}

/** Whose token most tests want. */
export const PLACE: TokenPlace = {
  assertion: 'eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJhIn0.c2lnbmF0dXJl',
  assertionEndsAt: Number.MAX_SAFE_INTEGER,
  downstream: 'graph',
  scopes: ['https://graph.microsoft.com/User.Read'],
};

/** What may differ from the usual replica. */
export interface Differences {
  readonly clientId?: string;
  /** Milliseconds for a look-up; default 2,000. */
  readonly patience?: number;
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
  const ask = (): Promise<FetchedToken> => {
    asked += 1;
    return fromEntra(newToken(clock.now()));
  };
  const tokens = new SharedTokens({
    address: parseRedisAddress(url),
    clientId: differs.clientId ?? '6e74172b-be56-4843-9ff4-e66a39bb12e3',
    authority: 'https://login.microsoftonline.com',
    now: clock.now,
    monotonicMs: clock.monotonicMs,
    // A busy machine must not look like a Redis in trouble.
    patience: differs.patience ?? 2_000,
    log: createLogger({ write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) }),
    onLookup: (outcome) => void outcomes.push(outcome),
  });
  return {
    tokens,
    clock,
    outcomes,
    log,
    asked: () => asked,
    async acquire(place = PLACE) {
      return (await tokens.acquire(place, ask)).token.accessToken;
    },
  };
}

/** Makes a replica and waits until it is connected. */
export async function startReplica(url: string, differs: Differences = {}): Promise<Replica> {
  const replica = makeReplica(url, differs);
  await replica.tokens.open();
  await untilConnected(replica);
  return replica;
}

/** Waits until look-ups get an answer; at most twenty seconds, or so many milliseconds. */
export async function untilConnected({ tokens, outcomes, clock }: Replica, patience?: number): Promise<void> {
  const probe = { ...PLACE, assertion: 'nobody' };
  const answers = async (): Promise<boolean> => {
    await tokens.acquire(probe, () => Promise.reject(new Error('only a probe'))).catch(() => {});
    if (outcomes.at(-1) === 'skipped') {
      clock.advance(1_000);
    }
    return outcomes.at(-1) === 'miss';
  };
  await until('Redis answers', answers, patience);
  outcomes.length = 0;
}

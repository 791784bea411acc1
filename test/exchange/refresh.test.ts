import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import type { Session } from '../../src/session/session.ts';
import { until } from '../support/gateway-poll.ts';
import { GRAPH, openDesk, openSession, type Desk } from '../support/token-exchange.ts';

const MINUTE = 60_000;
const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';

const emulator = await startEmulator();
const desks: Desk[] = [];
beforeEach(() => emulator.resetSwitches());
afterAll(async () => {
  for (const desk of desks) {
    desk.close();
  }
  await emulator.close();
});

interface Holder {
  readonly desk: Desk;
  readonly session: Session;
  /** The token that is held from the beginning. */
  readonly first: string;
}

/** Somebody who holds a token of an hour; it is to be replaced at some moment between 50 and 55 minutes. */
async function newHolder(options: { readonly claims?: string; readonly minutes?: number } = {}): Promise<Holder> {
  const { claims = '', minutes = 24 * 60 } = options;
  const desk = openDesk({ origin: emulator.origin });
  desks.push(desk);
  const session = openSession(emulator.issueAccessToken({ user: 'adele', lifetimeSeconds: minutes * 60 }));
  const first = await desk.acquire(session, GRAPH, claims);
  return { desk, session, first: first as string };
}

/** Waits until that many requests to Entra are over. */
function outcomes(desk: Desk, count: number): Promise<void> {
  return until(`${count} requests are over`, () => desk.outcomes.length >= count);
}

describe('a token that is about to expire', () => {
  it.each([
    { when: 'before', minutes: 50 - 1 / 60, exchanges: 1 },
    { when: 'in', minutes: 55 - 1 / 60, exchanges: 2 },
  ])('is replaced in the background by a request $when the last five minutes of its use', async (row) => {
    const { desk, session, first } = await newHolder();
    desk.clock.advance(row.minutes * MINUTE);
    const meanwhile = desk.take(session);
    expect(meanwhile).toMatchObject({ accessToken: first });
    await outcomes(desk, row.exchanges);
    await until('it is held', async () => ((await desk.acquire(session)) !== first) === (row.exchanges === 2));
    expect(desk.outcomes).toHaveLength(row.exchanges);
  });

  it('is replaced by an exchange with an id of its own, not that of the request that noticed', async () => {
    const { desk, session } = await newHolder();
    desk.clock.advance(55 * MINUTE - 1);
    const correlationId = randomUUID();
    await desk.fetch(session, { correlationId });
    await outcomes(desk, 2);
    expect(
      new Set([correlationId, ...emulator.exchanges.slice(-2).map(({ form }) => form['client-request-id'])]).size,
    ).toBe(3);
  });

  it('is replaced when Entra says so', async () => {
    emulator.switches.downstreamTokenLifetimeSeconds = 24 * 3_600;
    const { desk, session } = await newHolder();
    desk.clock.advance(12 * 60 * MINUTE - 1);
    await desk.acquire(session);
    const before = desk.outcomes.length;
    desk.clock.advance(1);
    await desk.acquire(session);
    await outcomes(desk, 2);
    expect(before).toBe(1);
  });

  it('is replaced by one exchange however many requests there are', async () => {
    const { desk, session, first } = await newHolder();
    desk.clock.advance(55 * MINUTE - 1);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => desk.acquire(session)));
    await outcomes(desk, 2);
    expect([new Set(tokens), desk.outcomes.length]).toEqual([new Set([first]), 2]);
  });

  it('is replaced by one that meets the same claims', async () => {
    const { desk, session } = await newHolder({ claims: CLAIMS });
    desk.clock.advance(55 * MINUTE - 1);
    await desk.acquire(session);
    await outcomes(desk, 2);
    expect(emulator.exchanges.at(-1)?.claims).toContain('nbf');
  });

  it('is not replaced once the caller’s own token expired: Entra would only refuse', async () => {
    const { desk, session, first } = await newHolder({ minutes: 54 });
    desk.clock.advance(55 * MINUTE - 1);
    expect([await desk.acquire(session), desk.outcomes.length]).toEqual([first, 1]);
  });

  it('is replaced for apps as well', async () => {
    const desk = openDesk({ origin: emulator.origin });
    desks.push(desk);
    const first = await desk.acquire(openSession(emulator.issueAccessToken({ app: 'daemon' })));
    desk.clock.advance(55 * MINUTE - 1);
    const session = openSession(emulator.issueAccessToken({ app: 'daemon' }));
    expect(await desk.acquire(session)).toBe(first);
    await outcomes(desk, 2);
  });
});

describe('a refresh that fails', () => {
  it.each([
    { how: 'because Entra is out of order', error: 'temporarily_unavailable', code: 90033 },
    { how: 'because a proof is wanted', error: 'invalid_grant', code: 50076 },
    { how: 'because the sign-in is no longer good', error: 'invalid_grant', code: 50173 },
    { how: 'because of a denial', error: 'invalid_grant', code: 50105 },
  ])('$how: no request notices while the old token serves, and it is tried again half a minute later', async (row) => {
    emulator.switches.downstreamTokenLifetimeSeconds = 24 * 3_600;
    const { desk, session, first } = await newHolder();
    desk.clock.advance(12 * 60 * MINUTE);
    emulator.switches.refuse = { error: row.error, error_codes: [row.code] };
    const tokens = [];
    for (const { pause, failures } of [
      { pause: 0, failures: 1 },
      { pause: 29_999, failures: 1 },
      { pause: 1, failures: 2 },
    ]) {
      desk.clock.advance(pause);
      tokens.push(await desk.acquire(session));
      await until('that many failed', () => desk.warnings.length === failures);
    }
    desk.clock.advance(29_999);
    tokens.push(await desk.acquire(session));
    expect([new Set(tokens), desk.outcomes.length, desk.warnings]).toEqual([
      new Set([first]),
      3,
      emulator.exchanges.slice(-2).map(({ form }) => ({
        downstream: 'graph',
        correlationId: form['client-request-id'],
        entra: expect.objectContaining({ codes: [`AADSTS${row.code}`] }),
        remedy: expect.any(String),
      })),
    ]);
  });

  it('because Entra throttles: it is not tried again before the time that Entra named', async () => {
    emulator.switches.downstreamTokenLifetimeSeconds = 24 * 3_600;
    const { desk, session, first } = await newHolder({ minutes: 48 * 60 });
    desk.clock.advance(23 * 60 * MINUTE + 54 * MINUTE);
    emulator.switches.refuse = { error: 'throttled', error_codes: [90055], status: 429, retryAfter: '300' };
    const tokens = [await desk.acquire(session)];
    await until('the refresh failed', () => desk.warnings.length === 1);
    for (const pause of [30_000, 60_000, 209_999]) {
      desk.clock.advance(pause);
      tokens.push(await desk.acquire(session));
    }
    const before = desk.outcomes.length;
    desk.clock.advance(30_000);
    await desk.acquire(session);
    await outcomes(desk, 3);
    expect([new Set(tokens), before]).toEqual([new Set([first]), 2]);
  });

  it('because Entra is out of order: the token goes on serving, and nobody waits for Entra', async () => {
    const { desk, session, first } = await newHolder();
    desk.clock.advance(55 * MINUTE - 1);
    emulator.switches.entra = 'json500';
    await desk.acquire(session);
    await until('the refresh failed', () => desk.warnings.length === 1);
    desk.clock.advance(1);
    expect(desk.take(session)).toMatchObject({ accessToken: first });
  });

  it('because Entra refuses: the caller gets the refusal when the old token has ended', async () => {
    const { desk, session } = await newHolder();
    desk.clock.advance(55 * MINUTE - 1);
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50105] };
    await desk.acquire(session);
    await until('the refresh failed', () => desk.warnings.length === 1);
    desk.clock.advance(1);
    expect(await desk.acquire(session)).toMatchObject({ code: 'access_denied' });
  });
});

describe('while Entra is out of order, a token that is held', () => {
  it('serves until a moment before it expires', async () => {
    const { desk, session, first } = await newHolder();
    desk.clock.advance(55 * MINUTE);
    emulator.switches.entra = 'json500';
    const tokens = [await desk.acquire(session)];
    desk.clock.advance(5 * MINUTE - 5_001);
    tokens.push(await desk.acquire(session));
    desk.clock.advance(1);
    const after = await desk.acquire(session);
    expect([tokens, after]).toEqual([[first, first], expect.objectContaining({ code: 'identity_unavailable' })]);
  });

  it('is replaced soon after Entra is back', async () => {
    const { desk, session, first } = await newHolder();
    desk.clock.advance(56 * MINUTE);
    emulator.switches.entra = 'json500';
    await desk.acquire(session);
    emulator.resetSwitches();
    await desk.acquire(session);
    await until('there is a new one', async () => (await desk.acquire(session)) !== first);
    expect(desk.outcomes.map(([, outcome]) => outcome)).toEqual(['token', 'retry', 'token']);
  });

  it('serves no longer than usual once Entra refuses', async () => {
    const { desk, session } = await newHolder();
    desk.clock.advance(56 * MINUTE);
    emulator.switches.entra = 'json500';
    await desk.acquire(session);
    emulator.resetSwitches();
    emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50173] };
    await desk.acquire(session);
    await until('the refresh failed', () => desk.warnings.length === 1);
    desk.clock.advance(1_000);
    expect(await desk.acquire(session)).toMatchObject({ code: 'invalid_token' });
  });

  it('does not serve a request that needs claims', async () => {
    const { desk, session } = await newHolder();
    emulator.switches.entra = 'json500';
    expect(await desk.acquire(session, GRAPH, CLAIMS)).toMatchObject({ code: 'identity_unavailable' });
  });
});

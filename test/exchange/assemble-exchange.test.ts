import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import type { Session } from '../../src/session/session.ts';
import type { FetchedToken } from '../../src/session/downstream-token.ts';
import { GRAPH, openDesk, openSession, ORDERS, type Desk, type DeskOptions } from '../support/token-exchange.ts';

const MINUTE = 60_000;
const NBF = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';

const emulator = await startEmulator();
const desks: Desk[] = [];
beforeEach(() => emulator.resetSwitches());
afterAll(async () => {
  for (const desk of desks) {
    desk.close();
  }
  await emulator.close();
});

/** A desk with nothing remembered. */
function newDesk(options: Partial<DeskOptions> = {}): Desk {
  const desk = openDesk({ origin: emulator.origin, ...options });
  desks.push(desk);
  return desk;
}

/** A new session of a user. */
function sessionOf(user = 'adele'): Session {
  return openSession(emulator.issueAccessToken({ user }));
}

/** A new session of a user that lasts for two days. */
function longSession(): Session {
  return openSession(emulator.issueAccessToken({ user: 'adele', lifetimeSeconds: 48 * 3_600 }));
}

/** Answers every exchange with this. */
function answerWith(body: object): void {
  emulator.switches.body = { status: 200, headers: {}, body: JSON.stringify(body) };
}

/** A new session of an app. */
function appSession(): Session {
  return openSession(emulator.issueAccessToken({ app: 'daemon' }));
}

/** How many exchanges reach Entra meanwhile. */
async function countExchanges(task: () => Promise<unknown>): Promise<number> {
  const before = emulator.exchanges.length;
  await task();
  return emulator.exchanges.length - before;
}

/** The `client-request-id` of the latest exchanges, oldest first. */
function idsAtEntra(count: number): unknown[] {
  return emulator.exchanges.slice(-count).map(({ form }) => form['client-request-id']);
}

/** Refuses every exchange with that code. */
function refuseWith(code: number, more: { error?: string; suberror?: string; retryAfter?: string } = {}): void {
  emulator.switches.refuse = { error: 'invalid_grant', error_codes: [code], ...more };
}

describe('a token that is held', () => {
  it('is given out without Entra, at once and not as a promise', async () => {
    const desk = newDesk();
    const session = sessionOf();
    const token = await desk.take(session);
    expect(await countExchanges(async () => expect(desk.take(session)).toBe(token))).toBe(0);
  });

  it.each([
    { seconds: 24 * 3_600, minutes: 24 * 60 - 5 },
    { seconds: 3_600, minutes: 55 },
    { seconds: 600, minutes: 5 },
    { seconds: 301, minutes: 150.5 / 60 },
    { seconds: 300, minutes: 2.5 },
    { seconds: 299, minutes: 149.5 / 60 },
    { seconds: 60, minutes: 0.5 },
  ])('and lives for $seconds seconds is given out for $minutes minutes', async ({ seconds, minutes }) => {
    emulator.switches.downstreamTokenLifetimeSeconds = seconds;
    const desk = newDesk();
    const session = longSession();
    const first = await desk.acquire(session);
    desk.clock.advance(minutes * MINUTE - 1);
    const before = await desk.acquire(session);
    desk.clock.advance(1);
    const after = await desk.acquire(session);
    expect([before === first, after === first]).toEqual([true, false]);
  });

  it('is not held when Entra does not say how long it lives', async () => {
    answerWith({ access_token: 'timeless', token_type: 'Bearer' });
    const desk = newDesk();
    const session = sessionOf();
    expect([await desk.acquire(session), await desk.acquire(session), desk.outcomes.length]).toEqual([
      'timeless',
      'timeless',
      2,
    ]);
  });

  it('serves one downstream only', async () => {
    const desk = newDesk();
    const session = sessionOf();
    const tokens = [await desk.acquire(session, GRAPH), await desk.acquire(session, ORDERS)];
    expect([tokens[0] === tokens[1], desk.outcomes]).toEqual([
      false,
      [
        ['graph', 'token'],
        ['orders', 'token'],
      ],
    ]);
  });

  it('never serves another session, not even of the same user', async () => {
    const desk = newDesk();
    const tokens = [await desk.acquire(sessionOf()), await desk.acquire(sessionOf())];
    expect([tokens[0] === tokens[1], desk.outcomes.length]).toEqual([false, 2]);
  });

  it('is forgotten when the downstream refused it', async () => {
    const desk = newDesk();
    const session = sessionOf();
    const token = await desk.take(session);
    desk.exchange.discard(
      { session, assertion: () => '', correlationId: undefined, downstream: GRAPH, claims: NBF },
      token,
    );
    expect(await countExchanges(() => desk.acquire(session))).toBe(1);
  });

  it.each([
    { who: 'a user', newSession: sessionOf, claims: NBF, within: 1, exchanges: 3 },
    { who: 'a user', newSession: sessionOf, claims: '', within: 1, exchanges: 1 },
    { who: 'a user', newSession: sessionOf, claims: '', within: MINUTE, exchanges: 3 },
    { who: 'an app', newSession: appSession, claims: NBF, within: 1, exchanges: 2 },
    { who: 'an app', newSession: appSession, claims: '', within: 1, exchanges: 1 },
    { who: 'an app', newSession: appSession, claims: NBF, within: MINUTE, exchanges: 3 },
  ])('of $who is forgotten $exchanges times of three, $within ms apart, with the claims $claims', async (row) => {
    const desk = newDesk();
    const session = row.newSession();
    await desk.take(session);
    const refuseThrice = async (): Promise<void> => {
      for (let time = 0; time < 3; time += 1) {
        const wanted = {
          session,
          assertion: () => '',
          correlationId: undefined,
          downstream: GRAPH,
          claims: row.claims,
        };
        desk.exchange.discard(wanted, await desk.take(session));
        await desk.take(session);
        desk.clock.advance(row.within);
      }
    };
    expect(await countExchanges(refuseThrice)).toBe(row.exchanges);
  });

  it('stays when an older one was refused', async () => {
    const desk = newDesk();
    const session = sessionOf();
    const old = await desk.take(session);
    desk.exchange.discard(
      { session, assertion: () => '', correlationId: undefined, downstream: GRAPH, claims: NBF },
      old,
    );
    const next = await desk.take(session);
    desk.exchange.discard(
      { session, assertion: () => '', correlationId: undefined, downstream: GRAPH, claims: NBF },
      old,
    );
    expect(desk.take(session)).toBe(next);
  });
});

describe('the gateway’s own token', () => {
  it('is not forgotten again and again for claims that change each time', async () => {
    const desk = newDesk();
    const session = appSession();
    await desk.take(session, ORDERS);
    const refuseOften = async (): Promise<void> => {
      for (let time = 0; time < 100; time += 1) {
        const wanted = {
          session,
          assertion: () => '',
          correlationId: undefined,
          downstream: ORDERS,
          claims: NBF.replace('"1"', `"${time}"`),
        };
        desk.exchange.discard(wanted, await desk.take(session, ORDERS));
        await desk.take(session, ORDERS);
      }
    };
    expect(await countExchanges(refuseOften)).toBe(20);
    const graph = await desk.take(session, GRAPH);
    const wanted = { session, assertion: () => '', correlationId: undefined, downstream: GRAPH, claims: NBF };
    expect(desk.exchange.discard(wanted, graph)).toBe(true);
  });

  it('is kept after one request renewed it, when other requests report that the old one was refused', async () => {
    const desk = newDesk();
    const session = appSession();
    const old = await desk.take(session, ORDERS);
    const wanted = { session, assertion: () => '', correlationId: undefined, downstream: ORDERS, claims: NBF };
    const first = desk.exchange.discard(wanted, old);
    await desk.take(session, ORDERS, NBF);
    const later = [NBF.replace('"1"', '"2"'), ''].map((claims) => desk.exchange.discard({ ...wanted, claims }, old));
    expect([first, later]).toEqual([true, [false, false]]);
    expect(emulator.exchanges.at(-1)?.form['claims']).toContain('"nbf":{"essential":true,"value":"1"}');
  });
});

describe('fifty requests at once', () => {
  it('with one assertion are one exchange', async () => {
    const desk = newDesk();
    const session = sessionOf();
    const calls = (): Promise<unknown[]> => Promise.all(Array.from({ length: 50 }, () => desk.acquire(session)));
    expect(await countExchanges(calls)).toBe(1);
    expect([new Set(await calls()).size, desk.outcomes]).toEqual([1, [['graph', 'token']]]);
  });

  it('share the failure of their one exchange', async () => {
    refuseWith(50013);
    const desk = newDesk();
    const session = sessionOf();
    let answers: unknown[] = [];
    const exchanges = await countExchanges(async () => {
      answers = await Promise.all(Array.from({ length: 50 }, () => desk.acquire(session)));
    });
    const failures = answers.map((answer) => (answer as { code?: string }).code);
    expect([exchanges, new Set(failures), desk.outcomes]).toEqual([
      1,
      new Set(['invalid_token']),
      [['graph', 'reauthenticate']],
    ]);
  });

  it('of fifty sessions are fifty exchanges', async () => {
    const desk = newDesk();
    const sessions = Array.from({ length: 50 }, () => sessionOf());
    expect(await countExchanges(() => Promise.all(sessions.map((session) => desk.acquire(session))))).toBe(50);
  });

  it('of apps are one exchange for each downstream, whatever the app', async () => {
    const desk = newDesk();
    const calls = Array.from({ length: 50 }, (_, index) =>
      desk.acquire(appSession(), index % 2 === 0 ? GRAPH : ORDERS),
    );
    expect([await countExchanges(() => Promise.all(calls)), desk.outcomes.length]).toEqual([2, 2]);
  });
});

describe('the id of an exchange at Entra', () => {
  it('is that of all requests that waited for it, and another one for the next exchange', async () => {
    const desk = newDesk();
    const [session, other] = [sessionOf(), sessionOf()];
    const waiting = await Promise.all([desk.fetch(session), desk.fetch(session)]);
    const next = await desk.fetch(other);
    const [first, second] = idsAtEntra(2);
    expect([...waiting, next]).toMatchObject([
      { correlationId: first },
      { correlationId: first },
      { correlationId: second },
    ]);
    expect([first, first === second]).toEqual([
      expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      false,
    ]);
  });

  it('stays the same when one request needs a second exchange', async () => {
    const desk = newDesk();
    const session = sessionOf();
    const { correlationId } = (await desk.fetch(session)) as FetchedToken;
    await desk.fetch(session, { claims: '{"access_token":{"nbf":{"essential":true,"value":"1"}}}', correlationId });
    expect(idsAtEntra(2)).toEqual([correlationId, correlationId]);
  });

  it('stays the same when the claims that were expected to be wanted are refused', async () => {
    const desk = newDesk();
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    desk.exchange.expect(sessionOf('megan'), GRAPH, claims);
    refuseWith(50076);
    await desk.acquire(sessionOf('megan'));
    const [first, second] = idsAtEntra(2);
    expect([first, emulator.exchanges.at(-2)?.claims]).toEqual([second, expect.stringContaining('c1')]);
  });

  it.each(['when it is new', 'and also when it is remembered'])('is in the log of a refusal, %s', async (when) => {
    refuseWith(65001);
    const desk = newDesk();
    const session = sessionOf();
    const refused = await desk.acquire(session);
    const last = when === 'when it is new' ? refused : await desk.acquire(session);
    expect([last, desk.outcomes.length]).toEqual([
      expect.objectContaining({ log: expect.objectContaining({ correlationId: idsAtEntra(1)[0] }) }),
      1,
    ]);
  });
});

describe('an app', () => {
  it('gets the gateway’s own token, which serves every app of the tenant', async () => {
    const desk = newDesk();
    const tokens = [await desk.acquire(appSession(), ORDERS), await desk.acquire(appSession(), ORDERS)];
    expect([new Set(tokens).size, desk.outcomes]).toEqual([1, [['orders', 'token']]]);
    expect(emulator.exchanges.at(-1)).toMatchObject({ grantType: 'client_credentials', tenant: HOME_TENANT_ID });
  });

  it('never gets the token of a user, nor a user that of an app', async () => {
    const desk = newDesk();
    const tokens = [await desk.acquire(sessionOf(), ORDERS), await desk.acquire(appSession(), ORDERS)];
    tokens.push(await desk.acquire(sessionOf(), ORDERS));
    expect([new Set(tokens).size, emulator.exchanges.slice(-3).map(({ grantType }) => grantType)]).toEqual([
      3,
      [
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
    ]);
  });
});

describe('a refusal that another try would only meet again', () => {
  const lasting = [
    { what: 'a challenge', code: 50076, heard: 'interaction_required' },
    { what: 'missing consent', code: 65001, heard: 'consent_required' },
    { what: 'a denial', code: 50105, heard: 'access_denied' },
  ];

  it.each(lasting)('($what) is remembered for a minute', async ({ code, heard }) => {
    refuseWith(code);
    const desk = newDesk();
    const [early, late] = [sessionOf(), sessionOf()];
    await Promise.all([desk.acquire(early), desk.acquire(late)]);
    emulator.resetSwitches();
    desk.clock.advance(MINUTE - 1);
    const within = await desk.acquire(early);
    desk.clock.advance(1);
    const after = await desk.acquire(late);
    expect([within, after]).toEqual([expect.objectContaining({ code: heard }), expect.any(String)]);
  });

  it.each(lasting)('($what) is forgotten after that minute however often it was asked for', async ({ code }) => {
    refuseWith(code);
    const desk = newDesk();
    const session = sessionOf();
    await desk.acquire(session);
    emulator.resetSwitches();
    for (let second = 0; second < 60; second += 10) {
      await desk.acquire(session);
      desk.clock.advance(10_000);
    }
    expect(await desk.acquire(session)).toEqual(expect.any(String));
  });

  it('does not count for a newer token of the same user', async () => {
    refuseWith(50076);
    const desk = newDesk();
    await desk.acquire(sessionOf());
    emulator.resetSwitches();
    expect(await desk.acquire(sessionOf())).toEqual(expect.any(String));
  });

  it('does not count for another downstream', async () => {
    refuseWith(65001);
    const desk = newDesk();
    const session = sessionOf();
    await desk.acquire(session, GRAPH);
    emulator.resetSwitches();
    expect(await desk.acquire(session, ORDERS)).toEqual(expect.any(String));
  });

  it('does not count for a request with claims', async () => {
    refuseWith(50105);
    const desk = newDesk();
    const session = sessionOf();
    await desk.acquire(session);
    emulator.resetSwitches();
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    expect(await desk.acquire(session, GRAPH, claims)).toEqual(expect.any(String));
  });

  it('does not remove a token that arrived in the meantime', async () => {
    const desk = newDesk();
    const session = sessionOf();
    refuseWith(50105);
    await desk.acquire(session);
    emulator.resetSwitches();
    const token = await desk.acquire(session, GRAPH, '{"access_token":{"nbf":{"essential":true,"value":"1"}}}');
    expect(await desk.acquire(session)).toBe(token);
  });
});

describe('a refusal that another try may not meet again', () => {
  it.each([
    ['a new sign-in', 50013, 'invalid_grant', 'invalid_token'],
    ['our own fault', 7000215, 'invalid_client', 'gateway_misconfigured'],
    ['an outage that names no time', 90033, 'temporarily_unavailable', 'identity_unavailable'],
  ])('(%s) is remembered for a second only', async (_what, code, error, heard) => {
    refuseWith(code, { error });
    const desk = newDesk();
    const session = sessionOf();
    await desk.acquire(session);
    emulator.resetSwitches();
    desk.clock.advance(999);
    const within = await desk.acquire(session);
    desk.clock.advance(1);
    expect([within, await desk.acquire(session)]).toEqual([
      expect.objectContaining({ code: heard }),
      expect.any(String),
    ]);
  });
});

describe('a refusal with which Entra asks to wait', () => {
  it('is remembered as long as Entra asked, and the caller is told what is left of the time', async () => {
    refuseWith(50196, { retryAfter: '40' });
    const desk = newDesk();
    const session = sessionOf();
    const waits = [];
    for (const pause of [0, 15_000, 24_999, 1]) {
      desk.clock.advance(pause);
      const answer = await desk.acquire(session);
      waits.push((answer as { retryAfter?: number }).retryAfter);
      emulator.resetSwitches();
    }
    expect([waits, desk.outcomes]).toEqual([
      [40, 25, 1, undefined],
      [
        ['graph', 'retry'],
        ['graph', 'token'],
      ],
    ]);
  });

  it('does not stop another user', async () => {
    emulator.switches.entra = 'throttled';
    const desk = newDesk();
    await desk.acquire(sessionOf());
    emulator.resetSwitches();
    expect(await desk.acquire(sessionOf('guest'))).toEqual(expect.any(String));
  });

  it('does not stop another user, however many tokens the first one comes with', async () => {
    emulator.switches.entra = 'throttled';
    const desk = newDesk();
    for (let count = 0; count < 20; count += 1) {
      await desk.acquire(sessionOf());
    }
    emulator.resetSwitches();
    expect(await desk.acquire(sessionOf('guest'))).toEqual(expect.any(String));
  });

  it('lasts five minutes when Entra sees a loop and names no time', async () => {
    refuseWith(50196);
    expect(await newDesk().acquire(sessionOf())).toMatchObject({ code: 'identity_unavailable', retryAfter: 300 });
  });
});

describe('while Entra is out of order', () => {
  it.each([
    { how: 'throttled', state: 'throttled', named: 7 },
    { how: 'down with a page of HTML', state: 'html503' },
    { how: 'failing', state: 'json500' },
    { how: 'answering nothing', state: 'empty200' },
    { how: 'answering half a JSON', state: 'garbage' },
    { how: 'too slow', state: 'slow' },
    { how: 'silent', state: 'hang' },
    { how: 'hanging up', state: 'reset' },
  ])('($how) the caller is told to come back, and can', async ({ state, named }) => {
    // Long enough for the good answer that follows, however busy the machine is.
    const desk = newDesk({ deadline: 1_000 });
    const session = sessionOf();
    Object.assign(emulator.switches, { entra: state, retryAfter: '7', delayMs: 3_000 });
    const answer = await desk.acquire(session);
    const wait = (answer as { retryAfter?: number }).retryAfter ?? 0;
    emulator.resetSwitches();
    desk.clock.advance(wait * 1_000);
    expect([answer, await desk.acquire(session), desk.outcomes.map(([, outcome]) => outcome)]).toEqual([
      expect.objectContaining({ code: 'identity_unavailable' }),
      expect.any(String),
      ['retry', 'token'],
    ]);
    expect(named === undefined ? [10, 11, 12] : [named]).toContain(wait);
  });

  it('a time to come back may be a date', async () => {
    const desk = newDesk();
    emulator.switches.entra = 'throttled';
    emulator.switches.retryAfter = new Date(desk.clock.now() + 30_000).toUTCString();
    expect(await desk.acquire(sessionOf())).toMatchObject({ code: 'identity_unavailable', retryAfter: 30 });
  });

  it('an answer without end is cut off', async () => {
    emulator.switches.body = { status: 200, headers: {}, body: JSON.stringify({ access_token: 'x'.repeat(2 ** 21) }) };
    expect(await newDesk().acquire(sessionOf())).toMatchObject({ code: 'identity_unavailable' });
  });

  it('an address where nobody listens counts as an outage, too', async () => {
    const gone = await startEmulator();
    await gone.close();
    expect(await newDesk({ origin: gone.origin }).acquire(sessionOf())).toMatchObject({
      code: 'identity_unavailable',
      log: { entra: { error: 'ECONNREFUSED', status: 0 } },
    });
  });
});

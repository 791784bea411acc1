import { afterAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { decodeJwt } from 'jose';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { toPrincipal } from '../../src/session/principal.ts';
import { Session } from '../../src/session/session.ts';
import { SessionStore } from '../../src/session/session-store.ts';
import { Clock } from '../support/token-clock.ts';
import { startGate, type Gate, type GateOptions } from '../support/token-gate.ts';

const emulator = await startEmulator();
afterAll(() => emulator.close());

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A session that ends then. */
function sessionUntil(assertionExpiresAt: number): Session {
  return new Session({
    rules: { clockTolerance: 0 },
    principal: toPrincipal({ scp: 'Orders.Read' }),
    signingKey: { kid: 'k', publicKey, issuer: undefined, retired: false },
    assertionExpSeconds: assertionExpiresAt / 1_000,
  });
}

/** Runs a task with a gate of its own. */
async function withGate<T>(options: Partial<GateOptions>, task: (gate: Gate) => Promise<T>): Promise<T> {
  const gate = await startGate({ origin: emulator.origin, clock: new Clock(), ...options });
  try {
    return await task(gate);
  } finally {
    await gate.close();
  }
}

/** A good token of Adele's, another one each time; valid since long ago, because the clock of a gate stands still. */
function newToken(lifetimeSeconds = 3600): string {
  return emulator.issueAccessToken({ user: 'adele', lifetimeSeconds, claims: { nbf: 1_700_000_000 } });
}

describe('a token that is seen again', () => {
  it('is not verified again, because it has a session', async () => {
    await withGate({}, async (gate) => {
      const token = newToken();
      const [first, second, third] = [await gate.call(token), await gate.call(token), await gate.call(token)];
      expect([first.session !== undefined, second.session === first.session, third.session === first.session]).toEqual([
        true,
        true,
        true,
      ]);
      expect(gate.verifications()).toBe(1);
    });
  });

  it('has one session even if it comes many times at once', async () => {
    await withGate({}, async (gate) => {
      const token = newToken();
      const verdicts = await Promise.all(Array.from({ length: 20 }, () => gate.call(token)));
      expect([new Set(verdicts.map(({ session }) => session)).size, gate.sessions.size]).toEqual([1, 1]);
    });
  });

  it('is accepted while Entra cannot be reached', async () => {
    await withGate({}, async (gate) => {
      const token = newToken();
      const { session } = await gate.call(token);
      emulator.switches.keys = 'down';
      const again = await gate.call(token);
      emulator.resetSwitches();
      expect(again.session).toBe(session);
    });
  });
});

describe('two tokens', () => {
  it('of one user have two sessions', async () => {
    await withGate({}, async (gate) => {
      const [one, other] = [await gate.call(newToken()), await gate.call(newToken())];
      expect([one.session === other.session, gate.sessions.size]).toEqual([false, 2]);
    });
  });

  it.each(['header', 'payload', 'signature'])(
    'that differ in one character of the %s never share a session',
    async (part) => {
      await withGate({}, async (gate) => {
        const token = newToken();
        await gate.call(token);
        const parts = token.split('.');
        const index = ['header', 'payload', 'signature'].indexOf(part);
        const old = parts[index] ?? '';
        parts[index] = `${old.slice(0, 10)}${old[10] === 'A' ? 'B' : 'A'}${old.slice(11)}`;
        expect(await gate.call(parts.join('.'))).toEqual({ code: 'invalid_token' });
      });
    },
  );

  it('leave no session of the one that is refused', async () => {
    await withGate({}, async (gate) => {
      await gate.call(`${newToken()}A`);
      expect(gate.sessions.size).toBe(0);
    });
  });
});

describe('a session ends', () => {
  it.each([
    { tolerance: 0, lives: 600_000 },
    { tolerance: 60_000, lives: 660_000 },
  ])('when its token expires, and the tolerance of $tolerance ms is over', async ({ tolerance, lives }) => {
    await withGate({ clockTolerance: tolerance }, async (gate) => {
      const token = newToken(600);
      const { session } = await gate.call(token);
      const left = (decodeJwt(token).exp ?? 0) * 1_000 + tolerance - gate.clock.now();
      expect(Math.abs(left - lives)).toBeLessThan(20_000);
      gate.clock.advance(left - 1);
      const before = await gate.call(token);
      gate.clock.advance(1);
      const after = await gate.call(token);
      expect([before.session === session, after, gate.sessions.size]).toEqual([true, { code: 'invalid_token' }, 0]);
    });
  });

  it('when the key that signed its token leaves the key set', async () => {
    await withGate({}, async (gate) => {
      const token = newToken();
      const { session } = await gate.call(token);
      await emulator.rollKeys();
      await gate.keys.refresh();
      const whilePublished = await gate.call(token);
      await emulator.rollKeys({ keepOld: false });
      await gate.keys.refresh();
      expect([whilePublished.session === session, await gate.call(token)]).toEqual([true, { code: 'invalid_token' }]);
    });
  });

  it('when it is the least recently used of too many', async () => {
    await withGate({ maxSessions: 2 }, async (gate) => {
      const [a, b, c] = [newToken(), newToken(), newToken()];
      const first = await gate.call(a);
      const second = await gate.call(b);
      await gate.call(a);
      await gate.call(c);
      expect([gate.sessions.size, gate.sessions.find(a) === first.session, gate.sessions.find(b)]).toEqual([
        2,
        true,
        undefined,
      ]);
      const anew = await gate.call(b);
      expect([anew.session === second.session, gate.verifications()]).toEqual([false, 4]);
    });
  });
});

describe('a session that was found several times, so that its digest is remembered,', () => {
  const KEPT = 'header.payload.signature-of-adele';

  function createStore(): { readonly clock: Clock; readonly sessions: SessionStore; readonly session: Session } {
    const clock = new Clock();
    const sessions = new SessionStore(2, clock.now);
    const session = sessionUntil(clock.now() + 60_000);
    sessions.add(KEPT, session);
    expect([1, 2, 3, 4].map(() => sessions.find(KEPT))).toEqual([session, session, session, session]);
    return { clock, sessions, session };
  }

  it.each<{ how: string; end: (sessions: SessionStore, clock: Clock) => void }>([
    { how: 'expires', end: (_, clock) => clock.advance(60_000) },
    {
      how: 'expires and is swept',
      end: (sessions, clock) => {
        clock.advance(180_000);
        sessions.sweep();
      },
    },
    {
      how: 'is evicted by others',
      end: (sessions, clock) => {
        sessions.add('one', sessionUntil(clock.now() + 60_000));
        sessions.add('two', sessionUntil(clock.now() + 60_000));
      },
    },
    {
      how: 'is evicted because memory is short',
      end: (sessions, clock) => {
        sessions.add('one', sessionUntil(clock.now() + 60_000));
        sessions.capacity = 1;
      },
    },
  ])('is found no more when it $how, and the next one of that token is found', ({ end }) => {
    const { clock, sessions } = createStore();
    end(sessions, clock);
    expect(sessions.find(KEPT)).toBeUndefined();
    const next = sessionUntil(clock.now() + 60_000);
    sessions.add(KEPT, next);
    expect([1, 2, 3, 4].map(() => sessions.find(KEPT) === next)).toEqual([true, true, true, true]);
  });

  it('is found no more when its key is retired', () => {
    const clock = new Clock();
    const sessions = new SessionStore(2, clock.now);
    const signingKey = { kid: 'k', publicKey, issuer: undefined, retired: false };
    const session = new Session({
      rules: { clockTolerance: 0 },
      principal: toPrincipal({ scp: 'Orders.Read' }),
      signingKey,
      assertionExpSeconds: clock.now() / 1_000 + 60,
    });
    sessions.add(KEPT, session);
    const found = [1, 2, 3].map(() => sessions.find(KEPT) === session);
    signingKey.retired = true;
    expect([...found, sessions.find(KEPT), sessions.size]).toEqual([true, true, true, undefined, 0]);
  });

  it('gives nothing to another token with the same signature', () => {
    const { sessions } = createStore();
    const others = ['header.forged.signature-of-adele', `${KEPT} `, KEPT.slice(1), ''];
    expect(others.map((other) => sessions.find(other))).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('gives way to a session that replaces it', () => {
    const { clock, sessions } = createStore();
    const next = sessionUntil(clock.now() + 90_000);
    sessions.add(KEPT, next);
    expect([1, 2, 3, 4].map(() => sessions.find(KEPT) === next)).toEqual([true, true, true, true]);
  });
});

describe('a session', () => {
  it('shows its token to no log line', async () => {
    await withGate({}, async (gate) => {
      const token = newToken();
      const { session } = await gate.call(token);
      const shown = [JSON.stringify(session), inspect(session, { depth: 10, showHidden: true })].join();
      expect([session?.principal.kind, shown.includes(token.split('.')[2] ?? '')]).toEqual(['user', false]);
    });
  });

  it('is removed after it expired, though nobody asks for it, and no other is removed', async () => {
    await withGate({ clockTolerance: 0 }, async (gate) => {
      await Promise.all([newToken(600), newToken(700), newToken(3_600)].map((token) => gate.call(token)));
      const sizes = [600, 200, 3_000].map((seconds) => {
        gate.clock.advance((seconds + 60) * 1_000);
        gate.sessions.sweep();
        return gate.sessions.size;
      });
      expect(sizes).toEqual([2, 1, 0]);
    });
  });

  it('is removed a part at a time when many expire together, so that no request waits for all', () => {
    const clock = new Clock();
    const sessions = new SessionStore(10_000, clock.now);
    for (let index = 0; index < 5_000; index += 1) {
      sessions.add(`token ${index}`, sessionUntil(clock.now() + 60_000));
    }
    clock.advance(180_000);
    const sizes = [1, 2, 3].map(() => {
      sessions.sweep();
      return sessions.size;
    });
    expect([sizes[0] === 5_000, sizes[0] === 0, sizes.at(-1)]).toEqual([false, false, 0]);
  });

  it('is removed after it expired, also when the clock was ahead for a while', () => {
    const clock = new Clock();
    const sessions = new SessionStore(10, clock.now);
    clock.setBy(365 * 86_400_000);
    sessions.sweep();
    clock.setBy(-365 * 86_400_000);
    sessions.add('token', sessionUntil(clock.now() + 60_000));
    clock.advance(180_000);
    sessions.sweep();
    expect(sessions.size).toBe(0);
  });

  it('causes no error when it was evicted and then expires', () => {
    const clock = new Clock();
    const sessions = new SessionStore(1, clock.now);
    sessions.add('old', sessionUntil(clock.now() + 60_000));
    sessions.add('new', sessionUntil(clock.now() + 3_600_000));
    clock.advance(180_000);
    sessions.sweep();
    expect([sessions.size, sessions.find('old'), sessions.find('new') === undefined]).toEqual([1, undefined, false]);
  });
});

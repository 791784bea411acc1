import { once } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { planToken, type DownstreamToken, type FetchedToken } from '../../src/session/downstream-token.ts';
import { DownstreamTokens } from '../../src/session/downstream-tokens.ts';

const MINUTE = 60_000;
const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';

/** A token of an hour, as Entra gives it. */
function newFetch(accessToken: string): FetchedToken {
  const token = planToken(accessToken, 0, { expiresIn: 3_600, refreshIn: undefined });
  return { token, from: 'entra', correlationId: undefined };
}

/** All that a token tells. */
function readAll({ accessToken, authorization, expiresAt, usableUntil, refreshAt }: DownstreamToken): object {
  return { accessToken, authorization, expiresAt, usableUntil, refreshAt };
}

/** An answer of Entra that comes when it is told to, and how often it was asked for. */
function heldAnswer(answer: () => FetchedToken | Promise<FetchedToken>): {
  readonly ask: () => Promise<FetchedToken>;
  readonly release: () => void;
  readonly asked: () => number;
} {
  const gate = new AbortController();
  let asked = 0;
  return {
    async ask() {
      asked += 1;
      await once(gate.signal, 'abort');
      return answer();
    },
    release: () => gate.abort(),
    asked: () => asked,
  };
}

describe('requests for one token', () => {
  it('are one fetch for all that ask before it ends', async () => {
    const tokens = new DownstreamTokens();
    const answer = heldAnswer(() => newFetch('a'));
    const waiting = Array.from({ length: 10 }, () => tokens.fetch('graph', '', answer.ask));
    answer.release();
    expect([new Set(await Promise.all(waiting)).size, answer.asked()]).toEqual([1, 1]);
  });

  it('fail together with the one fetch, and a later request makes a new one', async () => {
    const tokens = new DownstreamTokens();
    const failure = new Error('no');
    const answer = heldAnswer(() => Promise.reject(failure));
    const waiting = Array.from({ length: 10 }, () => tokens.fetch('graph', '', answer.ask));
    answer.release();
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === failure)).toBe(true);
    const next = await tokens.fetch('graph', '', () => Promise.resolve(newFetch('b')));
    expect([answer.asked(), next.token.accessToken]).toEqual([1, 'b']);
  });

  it('do not wait for those of another downstream', async () => {
    const tokens = new DownstreamTokens();
    const slow = heldAnswer(() => newFetch('slow'));
    const waiting = tokens.fetch('slow', '', slow.ask);
    const quick = await tokens.fetch('quick', '', () => Promise.resolve(newFetch('quick')));
    slow.release();
    expect([quick.token.accessToken, (await waiting).token.accessToken]).toEqual(['quick', 'slow']);
  });

  it('stay one fetch after another one with claims ended earlier', async () => {
    const tokens = new DownstreamTokens();
    const plain = heldAnswer(() => newFetch('plain'));
    const waiting = [tokens.fetch('graph', '', plain.ask)];
    await tokens.fetch('graph', CLAIMS, () => Promise.resolve(newFetch('strong')));
    waiting.push(tokens.fetch('graph', '', plain.ask));
    plain.release();
    await Promise.all(waiting);
    expect(plain.asked()).toBe(1);
  });

  it('wait for a fetch with claims, and make one of their own when it fails', async () => {
    const tokens = new DownstreamTokens();
    const [good, bad] = [heldAnswer(() => newFetch('strong')), heldAnswer(() => Promise.reject(new Error('no')))];
    const answers = [];
    for (const withClaims of [good, bad]) {
      const key = withClaims === good ? 'good' : 'bad';
      const claimed = tokens.fetch(key, CLAIMS, withClaims.ask).catch(() => undefined);
      const plain = tokens.fetch(key, '', () => Promise.resolve(newFetch('plain')));
      withClaims.release();
      answers.push((await plain).token.accessToken);
      await claimed;
    }
    expect(answers).toEqual(['strong', 'plain']);
  });
});

describe('a token that comes late', () => {
  it.each([
    { what: 'a request without claims', begin: 'fetch' },
    { what: 'a refresh', begin: 'refresh' },
  ] as const)('from $what does not take the place of one that meets claims', async ({ begin }) => {
    const tokens = new DownstreamTokens();
    const first = await tokens.fetch('graph', '', () => Promise.resolve(newFetch('first')));
    const held = tokens.find('graph', '', 0);
    const late = heldAnswer(() => newFetch('late'));
    const waiting =
      begin === 'refresh' && held !== undefined
        ? tokens.refresh('graph', held, late.ask)
        : tokens.fetch('graph', '', late.ask);
    tokens.discard('graph', first.token);
    await tokens.fetch('graph', CLAIMS, () => Promise.resolve(newFetch('strong')));
    late.release();
    await waiting;
    expect(tokens.find('graph', '', 0)?.accessToken).toBe('strong');
  });

  it('from a refresh is not given to a request with claims', async () => {
    const tokens = new DownstreamTokens();
    await tokens.fetch('graph', CLAIMS, () => Promise.resolve(newFetch('first')));
    const held = tokens.find('graph', CLAIMS, 0);
    const late = heldAnswer(() => newFetch('late'));
    const waiting = held && tokens.refresh('graph', held, late.ask);
    const strong = await tokens.fetch('graph', CLAIMS, () => Promise.resolve(newFetch('strong')));
    late.release();
    await waiting;
    expect([strong.token.accessToken, tokens.find('graph', CLAIMS, 0)?.accessToken]).toEqual(['strong', 'strong']);
  });

  it('from a refresh is held also when what it was to replace was refused meanwhile', async () => {
    const tokens = new DownstreamTokens();
    const first = await tokens.fetch('graph', '', () => Promise.resolve(newFetch('first')));
    const held = tokens.find('graph', '', 0);
    const late = heldAnswer(() => newFetch('late'));
    const waiting = held && tokens.refresh('graph', held, late.ask);
    tokens.discard('graph', first.token);
    late.release();
    await waiting;
    expect(tokens.find('graph', '', 0)?.accessToken).toBe('late');
  });

  it('from a refresh takes the place of what it was to replace', async () => {
    const tokens = new DownstreamTokens();
    await tokens.fetch('graph', CLAIMS, () => Promise.resolve(newFetch('first')));
    const held = tokens.find('graph', CLAIMS, 0);
    await (held && tokens.refresh('graph', held, () => Promise.resolve(newFetch('second'))));
    expect(tokens.find('graph', CLAIMS, 0)?.accessToken).toBe('second');
  });
});

describe('a held token', () => {
  it('is the one that the fetch gave to each that waited, so that any of them can have it forgotten', async () => {
    const tokens = new DownstreamTokens();
    const { token } = newFetch('a');
    const fetch = () => Promise.resolve({ ...newFetch('a'), token });
    const [fetched, joined] = await Promise.all([
      tokens.fetch('graph', CLAIMS, fetch),
      tokens.fetch('graph', '', fetch),
    ]);
    expect(tokens.find('graph', '', 0)).toBe(fetched.token);
    expect([fetched.token, joined.token, token].map((one) => tokens.holds('graph', one))).toEqual([true, true, false]);
    tokens.discard('graph', fetched.token);
    expect(tokens.find('graph', '', 0)).toBeUndefined();
  });

  it('has the text and the times of the token that was fetched, and prints none of it by accident', async () => {
    const tokens = new DownstreamTokens();
    const { token } = newFetch('no JWT, but a secret');
    await tokens.fetch('graph', '', () => Promise.resolve({ ...newFetch(''), token }));
    const held = tokens.find('graph', '', 0);
    expect(held && readAll(held)).toEqual(readAll(token));
    // Read again, it is on the heap as well.
    expect(held && readAll(held)).toEqual(readAll(token));
    expect(Object.keys(held ?? {})).toEqual(['key', 'claims']);
    expect(JSON.stringify(tokens) + inspect([tokens, held], { depth: 9, showHidden: true })).not.toMatch(/secret/);
  });

  it('is refreshed by one of the requests that find it due', async () => {
    const tokens = new DownstreamTokens();
    const { token } = await tokens.fetch('graph', '', () => Promise.resolve(newFetch('a')));
    const held = tokens.find('graph', '', 0);
    const { refreshAt } = token;
    const due = [refreshAt - 1, refreshAt, refreshAt + 30_000].map((now) => held?.isRefreshDue(now));
    const begun = [1_000, 1_000, 30_999, 31_000].map((monotonicMs) => held?.tryBeginRefresh(monotonicMs));
    expect([due, begun]).toEqual([
      [false, true, true],
      [true, false, false, true],
    ]);
  });

  it('serves a little longer as a last resort, and not once it expired', async () => {
    const tokens = new DownstreamTokens();
    await tokens.fetch('graph', '', () => Promise.resolve(newFetch('a')));
    const now = 55 * MINUTE;
    const before = tokens.find('graph', '', now);
    const resort = tokens.prolong('graph', '', now);
    const found = [now, 60 * MINUTE - 5_001, 60 * MINUTE - 5_000].map((time) => tokens.find('graph', '', time));
    expect([before, found, tokens.prolong('graph', '', 60 * MINUTE)]).toEqual([
      undefined,
      [resort, resort, undefined],
      undefined,
    ]);
  });

  it('that lives for seconds does not serve for a shorter time as a last resort', async () => {
    const tokens = new DownstreamTokens();
    const token = planToken('a', 0, { expiresIn: 8, refreshIn: undefined });
    await tokens.fetch('graph', '', () => Promise.resolve({ ...newFetch('a'), token }));
    const held = tokens.find('graph', '', 0);
    expect([held?.prolong(3_500), tokens.find('graph', '', 3_999), tokens.find('graph', '', 4_000)]).toEqual([
      true,
      held,
      undefined,
    ]);
  });
});

import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { RecentDigests } from '../../src/session/recent-digests.ts';

const SIGNATURE = randomBytes(256).toString('base64url');

function offerTwice(digests: RecentDigests, assertion: string, digest: string): void {
  digests.offer(assertion, digest);
  digests.offer(assertion, digest);
}

describe('the digests of recent assertions', () => {
  it('know an assertion from its second time on', () => {
    const digests = new RecentDigests();
    const assertion = `a.b.${SIGNATURE}`;
    const found = [1, 2, 3].map((time) => {
      digests.offer(assertion, 'digest');
      return [time, digests.find(assertion)];
    });
    expect(found).toEqual([
      [1, undefined],
      [2, 'digest'],
      [3, 'digest'],
    ]);
  });

  it.each([
    ['another payload under the same signature', `a.c.${SIGNATURE}`],
    ['the same text and one character more', `a.b.${SIGNATURE}A`],
    ['its end', SIGNATURE],
    ['its beginning', `a.b.${SIGNATURE.slice(0, -1)}`],
    ['nothing', ''],
    ['less than what chooses the slot', SIGNATURE.slice(-5)],
  ])('never give the digest of one assertion for %s', (_, other) => {
    const digests = new RecentDigests();
    offerTwice(digests, `a.b.${SIGNATURE}`, 'digest');
    expect(digests.find(other)).toBeUndefined();
    offerTwice(digests, other, 'other');
    expect(digests.find(other)).toBe('other');
    expect(['digest', undefined]).toContain(digests.find(`a.b.${SIGNATURE}`));
  });

  it('keep hardly anything of users who come in turn with thousands of others', () => {
    const digests = new RecentDigests();
    for (let time = 0; time < 3; time += 1) {
      for (let user = 0; user < 5_000; user += 1) {
        digests.offer(`${user}.${createSignature(user)}`, String(user));
      }
    }
    const found = Array.from({ length: 5_000 }, (_, user) => digests.find(`${user}.${createSignature(user)}`));
    expect(found.filter((digest, user) => digest !== undefined && digest !== String(user))).toEqual([]);
    expect(found.filter((digest) => digest !== undefined).length).toBeLessThan(100);
  });

  it('give each of many users their own digest, or none', () => {
    const digests = new RecentDigests();
    const assertions = Array.from({ length: 3_000 }, () => `a.b.${randomBytes(256).toString('base64url')}`);
    for (const [user, assertion] of assertions.entries()) {
      offerTwice(digests, assertion, String(user));
    }
    const found = assertions.map((assertion) => digests.find(assertion));
    expect(found.filter((digest, user) => digest !== undefined && digest !== String(user))).toEqual([]);
    expect(found.filter((digest) => digest !== undefined).length).toBeGreaterThan(500);
  });

  it('forget what they are told to, and nothing else', () => {
    const digests = new RecentDigests();
    const assertions = Array.from({ length: 20 }, (_, user) => `a.b.${createSignature(user)}`);
    for (const [user, assertion] of assertions.entries()) {
      offerTwice(digests, assertion, `digest ${user}`);
    }
    const kept = assertions.filter((assertion) => digests.find(assertion) !== undefined);
    const [forgotten = ''] = kept;
    digests.forget(digests.find(forgotten) ?? '');
    digests.forget('of nobody');
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.filter((assertion) => digests.find(assertion) === undefined)).toEqual([forgotten]);
  });

  it('forget nobody in the place of an assertion that was pushed out', () => {
    const digests = new RecentDigests();
    const first = `a.b.${SIGNATURE}`;
    const second = `a.c.${SIGNATURE}`;
    offerTwice(digests, first, 'first');
    offerTwice(digests, second, 'second');
    digests.forget('first');
    expect([digests.find(first), digests.find(second)]).toEqual([undefined, 'second']);
    digests.forget('second');
    expect(digests.find(second)).toBeUndefined();
  });

  it('print no assertion by accident', () => {
    const digests = new RecentDigests();
    offerTwice(digests, `a.b.${SIGNATURE}`, 'digest');
    expect(inspect(digests, { depth: 9, showHidden: true }) + JSON.stringify(digests)).not.toContain(SIGNATURE);
  });
});

/** Characters as random as those of a real signature, the same ones for the same user. */
function createSignature(user: number): string {
  let state = user + 1;
  return Array.from({ length: 20 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String.fromCharCode(97 + ((state >>> 24) % 26));
  }).join('');
}

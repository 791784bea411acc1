import { describe, expect, it } from '@jest/globals';
import { deriveEntry, type EntryContext } from '../../src/redis/seal.ts';

const CONTEXT: EntryContext = {
  clientId: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
  authority: 'https://login.microsoftonline.com',
  downstream: 'graph',
  scopes: ['https://graph.microsoft.com/User.Read'],
};
const ASSERTION = 'eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJhIn0.c2lnbmF0dXJl';
const entry = deriveEntry(ASSERTION, CONTEXT);

/** A changed copy of a value. */
function change(value: Buffer, edit: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(value);
  edit(copy);
  return copy;
}

describe('a sealed value', () => {
  it('is opened by an entry that was derived again from the same assertion', () => {
    expect(deriveEntry(ASSERTION, { ...CONTEXT }).open(entry.seal('a token'))).toBe('a token');
  });

  it('looks different each time it is sealed', () => {
    expect(entry.seal('a token').equals(entry.seal('a token'))).toBe(false);
  });

  it('holds nothing of the text, and 29 bytes more than it', () => {
    const sealed = entry.seal('a token');
    expect([sealed.length, sealed.includes('token')]).toEqual([7 + 29, false]);
  });

  it.each<[string, (value: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['cut off at its end', (value) => value.subarray(0, -1)],
    ['cut off to its head', (value) => value.subarray(0, 20)],
    ['longer', (value) => Buffer.concat([value, Buffer.of(0)])],
    ['of another version', (value) => change(value, (copy) => copy.writeUInt8(2, 0))],
    ['of another nonce', (value) => change(value, (copy) => copy.writeUInt8((copy[1] ?? 0) ^ 1, 1))],
    ['damaged in its text', (value) => change(value, (copy) => copy.writeUInt8((copy[14] ?? 0) ^ 1, 14))],
    [
      'damaged in its tag',
      (value) => change(value, (copy) => copy.writeUInt8((copy.at(-1) ?? 0) ^ 1, copy.length - 1)),
    ],
    ['the text in clear', () => Buffer.from(JSON.stringify(['a token', 1, 2, 3]))],
  ])('is not opened when it is %s', (_what, spoil) => {
    expect(entry.open(spoil(entry.seal('a token')))).toBeUndefined();
  });
});

describe.each<[string, string, Partial<EntryContext>]>([
  ['assertion', `${ASSERTION}x`, {}],
  ['registration of the gateway', ASSERTION, { clientId: '00000000-0000-0000-0000-000000000000' }],
  ['Entra cloud', ASSERTION, { authority: 'https://login.microsoftonline.us' }],
  ['downstream', ASSERTION, { downstream: 'orders' }],
  ['agent identity', ASSERTION, { agent: '8a7f2f5e-0f5c-4a43-8c7e-2b5b9f3a1c11' }],
  ['list of scopes', ASSERTION, { scopes: ['https://graph.microsoft.com/Mail.Read'] }],
  ['division of the same scopes', ASSERTION, { scopes: ['https://graph.microsoft.com/User', '.Read'] }],
])('another %s', (_what, assertion, context) => {
  const foreign = deriveEntry(assertion, { ...CONTEXT, ...context });

  it('has other names', () => {
    const names = [entry.tokenKey, entry.lockKey, foreign.tokenKey, foreign.lockKey];
    expect(new Set(names).size).toBe(4);
  });

  it('cannot open the value', () => {
    expect(foreign.open(entry.seal('a token'))).toBeUndefined();
  });
});

describe('the name of an entry', () => {
  it('says whose product it is, and nothing else', () => {
    expect([entry.tokenKey, entry.lockKey]).toEqual([
      expect.stringMatching(/^obo:[\w-]{43}$/),
      expect.stringMatching(/^obo:[\w-]{43}$/),
    ]);
  });

  it('stays the same from one release to the next, because a change would lose every token', () => {
    expect(entry.tokenKey).toMatchInlineSnapshot(`"obo:aMj-AOA4Z-qgEaAkejnr93ZdhynrAP-yNXJCMVmLG_o"`);
  });
});

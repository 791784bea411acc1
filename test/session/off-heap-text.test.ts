import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { DownstreamToken } from '../../src/session/downstream-token.ts';
import { OffHeapText } from '../../src/session/off-heap-text.ts';

describe('a text outside the heap', () => {
  it('is read as it was written, however long it and its neighbours are', () => {
    const lengths = [0, 1, 1_500, 65_535, 65_536, 65_537, 200_000, ...Array.from({ length: 200 }, (_, i) => 997 * i)];
    const texts = lengths.map((length, index) => String.fromCharCode(33 + (index % 90)).repeat(length));
    const kept = texts.map((text) => new OffHeapText(text));
    expect(kept.map((text) => text.read())).toEqual(texts);
  });

  it('keeps every character of Latin-1', () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
    expect(new OffHeapText(all).read()).toBe(all);
  });
});

describe('a downstream token', () => {
  const token = new DownstreamToken('eyJ.secret', { expiresAt: 3, usableUntil: 2, refreshAt: 1 });

  it('can be read alone and as the value of a header', () => {
    expect([token.accessToken, token.authorization]).toEqual(['eyJ.secret', 'Bearer eyJ.secret']);
  });

  it('reads the same each time, however many others were read in between', () => {
    const texts = Array.from({ length: 300 }, (_, index) => `eyJ.${index}`);
    const tokens = texts.map((text) => new DownstreamToken(text, { expiresAt: 3, usableUntil: 2, refreshAt: 1 }));
    const read = (): string[] => tokens.flatMap((one) => [one.authorization, one.authorization]);
    expect([...read(), ...read()]).toEqual(
      [...texts, ...texts].flatMap((text) => [`Bearer ${text}`, `Bearer ${text}`]),
    );
  });

  it('is in nothing that is printed by accident', () => {
    const printed = [JSON.stringify(token), inspect(token, { depth: 9, showHidden: true })].join();
    expect(printed).not.toMatch(/secret|eyJ/);
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { packText, unpackText } from '../../src/session/packed-text.ts';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function unpack(bytes: Buffer): string {
  return unpackText(bytes, 0);
}

function repeat(length: number): string {
  return DIGITS.repeat(Math.ceil(length / DIGITS.length)).slice(0, length);
}

const part = (bytes: number): string => randomBytes(bytes).toString('base64url');

describe('a text packed into bytes', () => {
  it('takes three quarters of a JWT, and two bytes for each part', () => {
    const signed = [part(80), part(900), part(256)].join('.');
    const encrypted = [part(80), part(256), part(12), part(900), part(16)].join('.');
    expect([signed, encrypted].map((token) => packText(token).length)).toEqual([1_246, 1_277]);
  });

  it.each([
    ['a signed JWT', [part(80), part(901), part(256)].join('.')],
    ['a JWT without a signature', `${part(20)}.${part(300)}.`],
    ['an encrypted JWT', [part(80), '', part(12), part(902), part(16)].join('.')],
    ['digits without dots', repeat(1_501)],
    ['nothing', ''],
    ['nothing but dots', '....'],
    ['more dots than a JWT has', '.....'],
    ['many dots', '.'.repeat(20_000)],
    ['a part as long as its length can say', `eyJ.${repeat(65_535)}.c`],
    ['a part longer than that', `eyJ.${repeat(65_536)}.c`],
    ['base64 that is not of the URL', 'EwB4A8l6BAAU+abc/def+gh==.x'],
    ['padding', 'YQ==.YWI=.YWJj'],
    ['a line break at the end', 'eyJ.abc.def\n'],
    ['spaces', 'eyJ. abc .def'],
    ['every character of Latin-1', Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')],
    ['the mark of a text as it is', '\u00FF\u00FF'],
  ])('comes back as it was: %s', (_, text) => {
    expect(unpack(packText(text))).toBe(text);
  });

  it('comes back as it was, wherever its dots are and whatever digit is the last of a part', () => {
    const texts = Array.from({ length: 9 * 9 }, (_, lengths) =>
      DIGITS.split('').flatMap((last) => {
        const [first, second] = [repeat(lengths % 9) + last, repeat(Math.floor(lengths / 9)) + last];
        return [first, `${first}.${second}`, `${second}.${first}.${last}`, `.${first}..${second}.`];
      }),
    ).flat();
    expect(texts.map((text) => unpack(packText(text)))).toEqual(texts);
  });

  it('is read from among others', () => {
    const texts = ['a.b.c', 'eyJ.abc.de', 'ü', '', 'ÿ and no JWT', 'eyJ.abc.de.f.g', '....'];
    const packed = texts.map((text) => packText(text));
    const starts = packed.map((_, index) => Buffer.concat(packed.slice(0, index)).length);
    expect(starts.map((from) => unpackText(Buffer.concat(packed), from))).toEqual(texts);
  });
});

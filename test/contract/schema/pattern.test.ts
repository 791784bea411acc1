import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePattern } from '../../../src/contract/schema/pattern.ts';

const LONG = 1_000_000;

function compile(pattern: string): (text: string) => boolean {
  const matches = compilePattern(pattern);
  return (text) => matches(text, { stepsLeft: 10_000_000 });
}

describe('a pattern', () => {
  it.each<[pattern: string, texts: readonly string[]]>([
    ['^[A-Z]{3}-[0-9]{4,8}$', ['ABC-1234', 'ABC-123', 'ABC-123456789', 'xABC-1234']],
    ['b', ['abc', 'ac', '']],
    ['^(?=.*[a-z])(?=.*\\d)(?!.*\\s).{8,}$', ['abcdefg1', 'abcdefgh', 'abc defg1', 'a1']],
    ['(?<=\\$)\\d+(?<!00)$', ['$15', '$1500', '15']],
    ['\\bword\\b', ['a word.', 'sword', 'word']],
    ['^.$', ['a', '😀', '\n', '\ud83d', 'ab']],
    ['^\\p{L}+$', ['Łódź', '文件', 'a1']],
    ['^[^\\W_]+$', ['a1', 'a_', 'é']],
    ['^\\u{1F600}|\\ud83d\\ude01$', ['😀', '😁', '\ud83d']],
    ['^(?:a|ab)(?:c|bcd)(?:d*)$', ['abcd', 'abcdd', 'acd', 'abc']],
    ['^a{2,3}?b{0}c{3,}$', ['aaccc', 'aaacccc', 'acccc', 'aabccc']],
    ['^.{20,300}$', ['x'.repeat(19), 'x'.repeat(20), 'x'.repeat(300), 'x'.repeat(301)]],
    ['[ab]{18,20}c', [`${'ab'.repeat(10)}c`, `${'ab'.repeat(8)}c`, `${'ab'.repeat(30)}c`]],
    ['^$|^x', ['', 'x', 'y']],
    ['[]|[^]', ['', 'a', '\n']],
    ['^(?:(?:)|(?:){9}){4000000000}a$', ['a', 'b', '']],
  ])('means what it means in JavaScript: %s', (pattern, texts) => {
    const native = new RegExp(pattern, 'u');
    const matches = compile(pattern);
    expect(texts.map((text) => matches(text))).toEqual(texts.map((text) => native.test(text)));
  });

  it('with escapes that only the older rules allow is taken by these', () => {
    const matches = compile(String.raw`^[\w-.]+\_\-{2}{$`);
    expect(['a-b.c_--{', 'a_-{'].map((text) => matches(text))).toEqual([true, false]);
  });

  it('of any kind means what it means in JavaScript', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '-',
      '.',
      '\\w',
      '\\s',
      '[ab]',
      '[^a]',
      '\\p{L}',
      'é',
      '😀',
      '\\b',
      '\\B',
      '^',
      '$',
    );
    const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc
          .tuple(fc.constantFrom('(', '(?:', '(?=', '(?!', '(?<=', '(?<!'), tie('pattern'))
          .map((pair) => `${pair.join('')})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{2,}', '{0}', '*?'))
          .map(([part, quantifier]) => `(?:${part})${quantifier}`),
        fc
          .tuple(fc.constantFrom('a', '.', '[ab]'), fc.constantFrom('*', '{0,17}', '{1,20}', '{3,18}'))
          .map((pair) => pair.join('')),
        fc.tuple(tie('pattern'), tie('pattern')).map((pair) => `(?:${pair.join('|')})`),
      ),
      pattern: fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
    }));
    // No surrogate pairs: V8 also begins in the middle of them, which ECMA-262 §22.2.7.2 does not.
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', ' ', 'é', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 4, maxLength: 4 }), (source, texts) => {
        const native = new RegExp(source, 'u');
        const matches = compile(source);
        expect(texts.map((one) => matches(one))).toEqual(texts.map((one) => native.test(one)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a pattern of which there are endless ways through a text is no endless work', () => {
  it.each<[pattern: string, text: string]>([
    ['^([a-zA-Z0-9]+\\s?)*$', 'a'],
    ['(a+)+$', 'a'],
    ['a+$', 'a'],
    ['^(a|aa|a?)+$', 'a'],
    ['(.*)(.*)(.*)(.*)x', 'a'],
    ['^(?=.*[a-z])(?=(.*\\d)+).{8,}$', 'a'],
    ['(?<=a*b)c', 'a'],
    ['[ab]{500,1000}c', 'ab'],
    ['(?:a|b)*a(?:a|b){40}c', 'aab'],
    ['^\\w+([.-]?\\w+)*@\\w+([.-]?\\w+)*(\\.\\w{2,3})+$', 'a'],
    ['\\s+$', ' '],
    ['^(?:é|éé)*$', 'é'],
  ])('%s', (pattern, text) => {
    expect(compile(pattern)(`${text.repeat(LONG / text.length / 5)}!`)).toBe(false);
  });

  it('nor is one of one way with a text that is too much for the stack of others', () => {
    expect(compile('^(?:([a-z])([0-9])?,)*$')('a1,b,'.repeat(LONG))).toBe(true);
  });
});

import { describe, expect, it } from '@jest/globals';
import { readYaml } from '../../src/syntax/read-yaml.ts';

describe('a YAML text is read as', () => {
  it.each<[string, string, unknown]>([
    ['JSON', '{"a": [1, true, null, "x"]}', { a: [1, true, null, 'x'] }],
    ['a map whose keys are texts', '200: a\ntrue: b\n', { '200': 'a', true: 'b' }],
    ['numbers of the core schema', '[0x1F, 0o17, 1e3, .5]', [31, 15, 1000, 0.5]],
    ['texts, where only YAML 1.1 sees more', '[yes, 1_000, 2020-01-01]', ['yes', '1_000', '2020-01-01']],
    ['what aliases stand for', 'a: &a [1]\nb: *a\n', { a: [1], b: [1] }],
    ['what is merged', 'a: &a { b: 1, c: 1 }\nd: { <<: *a, c: 2 }\n', { a: { b: 1, c: 1 }, d: { b: 1, c: 2 } }],
    ['nothing', '# nothing\n', undefined],
    ['a byte order mark and more', '\uFEFFa: 1\n', { a: 1 }],
    ['a name that objects have of their own', '__proto__: 1\n', JSON.parse('{ "__proto__": 1 }')],
  ])('%s', (_case, text, tree) => {
    expect(readYaml(text)).toStrictEqual({ tree });
  });
});

/** Each alias is twice the one before. */
const doublings = Array.from({ length: 25 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`);

describe('a YAML text that cannot be read has its line named', () => {
  it.each<[string, string, number, string]>([
    ['a stray bracket', 'a: 1\nb: ]\n', 2, 'cannot be read as YAML from here on'],
    ['a tab', 'a:\n\tb: 1\n', 2, 'cannot be read as YAML from here on'],
    ['a key twice', 'a:\n  port: 1\n  port: 2\n', 3, 'has the key port twice'],
    ['a quoted key twice', '{"port": 1,\r\n"port": 2}', 2, 'has the key port twice'],
    ['a key twice that may be a secret', 'hunter2: 1\nhunter2: 2\n', 2, 'has a key twice'],
    ['a key twice that is written in two ways', '{"a": 1,\n"\\u0061": 2}', 2, 'has a key twice'],
    ['an alias of nothing', 'a: *b\n', 1, 'has an alias (*name) without its anchor (&name)'],
    ['a tag', '\na: !secret hunter2\n', 2, 'has a tag (!name) that JSON has no value for'],
    ['a merge of nothing', 'a: 1\n<<: 5\n', 2, 'has a merge (<<) that cannot be followed'],
    ['a key that is a list', '? [a]\n: 1\n', 1, 'has a key that is no text'],
    [
      'a second document',
      '# ---\n%YAML 1.2\n---\na: |\n  ---\n---\nb: 1\n',
      6,
      'holds several YAML documents, of which the second begins here',
    ],
    [
      'a document after the end',
      'a: 1\n...\nb: 1\n',
      2,
      'holds several YAML documents, of which the second begins here',
    ],
    ['500 levels and one', `a: ${'['.repeat(500)}${']'.repeat(500)}`, 1, 'is nested more than 500 levels deep'],
  ])('%s', (_case, text, line, problem) => {
    expect(readYaml(text)).toEqual({ line, problem });
  });

  it.each([
    ['aliases that hold themselves', 'a: &a { b: *a }\n'],
    ['aliases that multiply', `a0: &a0 [x, x]\n${doublings.join('\n')}\n`],
  ])('unless it is about %s', (_case, text) => {
    expect(readYaml(text)).toEqual({
      problem: 'has YAML aliases (*name) that hold themselves or multiply without end',
    });
  });
});

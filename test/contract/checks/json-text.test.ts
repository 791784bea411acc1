import { describe, expect, it } from '@jest/globals';
import { readJson } from '../../../src/contract/checks/json-text.ts';

/** Lists or objects in one another. */
function nest(open: string, close: string, levels: number): string {
  return open.repeat(levels) + '0' + close.repeat(levels);
}

describe('a JSON text', () => {
  it.each([
    '{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}',
    String.raw`{"a":"{\"a\":1,\"a\":2}","b\"":1,"b\\":2,"\\\"":3}`,
    '[":::","a:b",{"::":":"}]',
    '{"__proto__":{"a":1},"constructor":1}',
    ' [ ] ',
    '"a"',
    '5',
    'null',
    '{"1":1,"01":2,"":3}',
    nest('[', ']', 500),
  ])('that everyone reads alike is taken: %s', (text) => {
    expect(readJson(text)).toEqual({ value: JSON.parse(text) as unknown });
  });

  it.each<[text: string, pointer: string]>([
    ['{"a":1,"a":1}', '/a'],
    [String.raw`{"a":1,"\u0061":2}`, '/a'],
    ['{"x":{"b":[0,{"c":1,"d":[],"c":2}]}}', '/x/b/1/c'],
    ['{"a":{"b":1},"b":[1,2],"a":{}}', '/a'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['{"":1,"":2}', '/'],
    [String.raw`{"a/b":":","c\"":"\\","c\"":1}`, '/c"'],
    ['[[],{"a":"]}","b":{}},{"k":1, "k" :2}]', '/2/k'],
    ['{"1":1,"1":2}', '/1'],
  ])('that names a member twice is not: %s', (text, pointer) => {
    expect(readJson(text)).toEqual({ fault: { pointer, detail: 'must not be named twice' } });
  });

  it.each(['', '{', '{"a":1,}', "{'a':1}", '\ufeff{}', '01', 'NaN', '[1,]', '"\u0001"'])(
    'that is none is none: %j',
    (text) => {
      expect(readJson(text)).toBeUndefined();
    },
  );

  it('that is none is none, also where a million colons follow a long text', () => {
    expect(readJson(`"${'a'.repeat(1_000_000)}"${':'.repeat(1_000_000)}`)).toBeUndefined();
  });

  it.each([
    nest('[', ']', 501),
    nest('{"a":', '}', 501),
    nest('[{"a":', '}]', 251),
    nest('[', ']', 500_000),
    nest('{"a":', '}', 500_000),
  ])('that is nested too deeply is not taken', (text) => {
    expect(readJson(text)).toEqual({ fault: { detail: 'must not be nested more than 500 levels deep' } });
  });

  it.each<[what: string, text: string, most: number]>([
    ['lists', `[${'[],'.repeat(600_000)}0]`, 500_000],
    ['objects', `[${'{},'.repeat(4_000_000)}0]`, 750_000],
    ['beginnings and no end', '['.repeat(600_000).padEnd(1_500_000, '"'), 500_000],
  ])('of very many %s is not even read', (_, text, most) => {
    expect(readJson(text)).toEqual({ fault: { detail: `must not have more than ${most} objects and arrays` } });
  });

  it('of very many brackets in its texts is taken', () => {
    expect(readJson(JSON.stringify(Array.from({ length: 10 }, () => '[{'.repeat(300_000))))).toHaveProperty('value');
  });

  it.each<[what: string, text: string]>([
    ['backslashes', JSON.stringify('\\'.repeat(2_000_000))],
    ['quotation marks', JSON.stringify('"\\"'.repeat(1_000_000))],
    [
      'members',
      JSON.stringify(Object.fromEntries(Array.from({ length: 300_000 }, (_, index) => [`k${index}`, index]))),
    ],
  ])('of many %s is no endless work', (_, text) => {
    expect(readJson(text)).toHaveProperty('value');
    expect(readJson(`[{"a":1,"a":2},${text}]`)).toHaveProperty('fault');
    expect(readJson(`[${text},{"a":1,"a":2}]`)).toHaveProperty('fault.pointer', '/1/a');
  });
});

/** A list of so many items. */
function repeat(count: number, item: (index: number) => string): string {
  return `[${Array.from({ length: count }, (_, index) => item(index)).join()}]`;
}

function refuse(): never {
  throw new Error('no room');
}

describe('a large text', () => {
  it.each([
    ['records with the same names', repeat(20_000, (index) => `{"id":${index},"name":"x"}`), 6, 18],
    ['numbers', repeat(200_000, () => '7'), 10, 20],
    ['objects whose names never come twice', repeat(40_000, (index) => `{"a${index}":0}`), 35, 60],
    ['one string', `["${'x'.repeat(100_000)}"]`, 0, 1],
  ])('of %s is read when there is room for what it becomes', (_what, text, least, most) => {
    const demands: number[] = [];
    expect(readJson(text, (bytes) => demands.push(bytes))).toHaveProperty('value');
    const times = (demands[0] ?? 0) / text.length;
    expect([demands.length, times >= least, times <= most]).toEqual([1, true, true]);
  });

  it('is not read when there is no room, and a short one is never asked about', () => {
    expect(() =>
      readJson(
        repeat(40_000, () => '{}'),
        refuse,
      ),
    ).toThrow('no room');
    expect(readJson('{}', refuse)).toEqual({ value: {} });
  });
});

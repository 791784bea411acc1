import { describe, expect, it } from '@jest/globals';
import type { Node } from '../../documents.ts';
import { checkParameters, type Sent } from '../../parameter-source.ts';

const TEXT = { type: 'string', enum: ['blue', 'a,b'] };
const LIST = { type: 'array', items: { enum: ['blue', 'black', 'brown'] }, minItems: 3, uniqueItems: true };
const MAP = {
  type: 'object',
  required: ['R', 'G', 'B'],
  additionalProperties: false,
  properties: { R: { const: 100 }, G: { const: 200 }, B: { const: 150 } },
};

type Place = 'path' | 'query' | 'header' | 'cookie';

/** What is wrong with the parameter `color`. */
function check(place: Place, changes: Node, text: string): string[] {
  const sent: Record<Place, Sent> = {
    path: { path: { color: text } },
    query: { query: text },
    header: { headers: { color: [text] } },
    cookie: { headers: { cookie: [text] } },
  };
  const parameter = { name: 'color', in: place, required: true, ...changes };
  return checkParameters([parameter], sent[place]).map(({ pointer = '', detail }) => `${pointer} ${detail}`.trim());
}

/** The table of OpenAPI 3.1.1 §4.8.12.4, and `cookie` of 3.2. */
const TABLE: readonly [Place, string, boolean, text: string, list: string, map: string][] = [
  ['path', 'matrix', false, ';color=blue', ';color=blue,black,brown', ';color=R,100,G,200,B,150'],
  ['path', 'matrix', true, ';color=blue', ';color=blue;color=black;color=brown', ';R=100;G=200;B=150'],
  ['path', 'label', false, '.blue', '.blue,black,brown', '.R,100,G,200,B,150'],
  ['path', 'label', true, '.blue', '.blue.black.brown', '.R=100.G=200.B=150'],
  ['path', 'simple', false, 'blue', 'blue,black,brown', 'R,100,G,200,B,150'],
  ['path', 'simple', true, 'blue', 'blue,black,brown', 'R=100,G=200,B=150'],
  ['header', 'simple', false, 'blue', 'blue,black,brown', 'R,100,G,200,B,150'],
  ['header', 'simple', true, 'blue', 'blue, black, brown', 'R=100, G=200, B=150'],
  ['query', 'form', false, '?color=blue', '?color=blue,black,brown', '?color=R,100,G,200,B,150'],
  ['query', 'form', true, '?color=blue', '?color=blue&color=black&color=brown', '?R=100&G=200&B=150'],
  [
    'query',
    'spaceDelimited',
    false,
    '?color=blue',
    '?color=blue%20black%20brown',
    '?color=R%20100%20G%20200%20B%20150',
  ],
  ['query', 'pipeDelimited', false, '?color=blue', '?color=blue%7Cblack%7Cbrown', '?color=R%7C100%7CG%7C200%7CB%7C150'],
  ['cookie', 'form', false, 'color=blue', 'color=blue,black,brown', 'color=R,100,G,200,B,150'],
  ['cookie', 'form', true, 'color=blue', 'color=blue&color=black&color=brown', 'R=100&G=200&B=150'],
  ['cookie', 'cookie', false, 'color=blue', 'color=blue,black,brown', 'color=R,100,G,200,B,150'],
  ['cookie', 'cookie', true, 'color=blue', 'color=blue; color=black; color=brown', 'R=100; G=200; B=150'],
];

describe.each(TABLE)('a parameter in %s of the style %s, exploded: %s', (place, style, explode, text, list, map) => {
  it.each([
    ['a text', TEXT, text],
    ['a list', LIST, list],
    ['a map', MAP, map],
  ])('reads %s', (_case, schema, sent) => {
    expect(check(place, { style, explode, schema }, sent)).toEqual([]);
  });

  it.each([
    ['text', TEXT, text.replace('blue', 'green')],
    ['list', LIST, list.replace('brown', 'green')],
    ['list', LIST, list.replace('brown', 'black')],
    ['map', MAP, map.replace('200', '201')],
    ['map', MAP, map.replace('G', 'Y')],
  ])('refuses another %s', (_case, schema, sent) => {
    expect(check(place, { style, explode, schema }, sent)).not.toEqual([]);
  });
});

describe('a list or a map that is written in another way that people know', () => {
  const both = { type: 'object', properties: { ids: { type: 'array', items: { enum: [1, 2] } }, on: { const: true } } };
  const deep = { style: 'deepObject', explode: true };

  it.each<[string, Place, Node, string]>([
    [
      'commas of a client that encodes everything',
      'query',
      { explode: false, schema: LIST },
      '?color=blue%2Cblack%2cbrown',
    ],
    ['pipes as they are', 'query', { style: 'pipeDelimited', schema: LIST }, '?color=blue|black|brown'],
    ['spaces as a form has them', 'query', { style: 'spaceDelimited', schema: LIST }, '?color=blue+black+brown'],
    [
      'spaceDelimited, exploded',
      'query',
      { style: 'spaceDelimited', explode: true, schema: LIST },
      '?color=blue&color=black&color=brown',
    ],
    ['labels of OpenAPI 3.0', 'path', { style: 'label', schema: LIST }, '.blue.black.brown'],
    ['labels of a map of OpenAPI 3.0', 'path', { style: 'label', schema: MAP }, '.R.100.G.200.B.150'],
    ['cookies of their own, of the style form', 'cookie', { schema: LIST }, 'color=blue; color=black; color=brown'],
    ['deepObject', 'query', { ...deep, schema: MAP }, '?color[R]=100&color[G]=200&color[B]=150'],
    ['deepObject, encoded', 'query', { ...deep, schema: MAP }, '?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
    ['deepObject with a list', 'query', { ...deep, schema: both }, '?color[ids]=1&color[ids]=2&color[on]=true'],
    ['… of one', 'query', { ...deep, schema: both }, '?color[ids]=1'],
    ['… with brackets', 'query', { ...deep, schema: both }, '?color[ids][]=1&color[ids][]=2'],
    ['… with one in brackets', 'query', { ...deep, schema: both }, '?color[ids][]=1'],
    ['… with numbers', 'query', { ...deep, schema: both }, '?color[ids][0]=1&color[ids][1]=2'],
    [
      'deepObject in deepObject',
      'query',
      { ...deep, schema: { type: 'object', properties: { a: both } } },
      '?color[a][ids]=1',
    ],
    ['deepObject of lists alone', 'query', { ...deep, schema: LIST }, '?color[]=blue&color[]=black&color[]=brown'],
    ['… with numbers', 'query', { ...deep, schema: LIST }, '?color[0]=blue&color[1]=black&color[2]=brown'],
    ['… under its plain name', 'query', { ...deep, schema: LIST }, '?color=blue&color=black&color=brown'],
    ['deepObject or a number', 'query', { ...deep, schema: { anyOf: [MAP, { type: 'integer' }] } }, '?color=5'],
  ])('is read: %s', (_case, place, changes, text) => {
    expect(check(place, changes, text)).toEqual([]);
  });

  it.each<[string, Place, Node, string, string]>([
    [
      'a member that is no list twice',
      'query',
      { ...deep, schema: both },
      '?color[on]=true&color[on]=true',
      '/on must be given once',
    ],
    ['a wrong item', 'query', { ...deep, schema: both }, '?color[ids]=1&color[ids]=3', '/ids/1 must be one of 1, 2'],
    ['a wrong item alone', 'query', { ...deep, schema: both }, '?color[ids]=3', '/ids/0 must be one of 1, 2'],
    ['a wrong item in brackets', 'query', { ...deep, schema: both }, '?color[ids][]=3', '/ids/0 must be one of 1, 2'],
    [
      'a number twice beside a map',
      'query',
      { ...deep, schema: { type: ['object', 'integer'] } },
      '?color=5&color=6',
      'must be given once',
    ],
    [
      'a number and a map',
      'query',
      { ...deep, schema: { type: ['object', 'integer'] } },
      '?color=5&color[a]=6',
      'must be given once',
    ],
    [
      'half a bracket',
      'query',
      { ...deep, schema: both },
      '?color[ids=3',
      'must be written as color[member], with at most 5 brackets',
    ],
    [
      'brackets in brackets',
      'query',
      { ...deep, schema: both },
      '?color[i[d]s]=3',
      'must be written as color[member], with at most 5 brackets',
    ],
    [
      'too many brackets',
      'query',
      { ...deep, schema: both },
      `?color${'[a]'.repeat(6)}=3`,
      'must be written as color[member], with at most 5 brackets',
    ],
    [
      'a value and a map',
      'query',
      { ...deep, schema: both },
      '?color[a]=1&color[a][b]=2',
      'must not have a member that is both a value and a map',
    ],
    [
      'a map and a value',
      'query',
      { ...deep, schema: both },
      '?color[a][b]=2&color[a]=1',
      'must not have a member that is both a value and a map',
    ],
    [
      'a map with a name and no value',
      'query',
      { explode: false, schema: MAP },
      '?color=R,100,G',
      'must be names and values in turn',
    ],
    [
      'a matrix without its name',
      'path',
      { style: 'matrix', schema: TEXT },
      'blue',
      'must be written as ;color=…, once',
    ],
    [
      'a matrix of another name',
      'path',
      { style: 'matrix', schema: TEXT },
      ';size=blue',
      'must be written as ;color=…, once',
    ],
    [
      'a matrix with more',
      'path',
      { style: 'matrix', schema: TEXT },
      ';color=blue;size=1',
      'must be written as ;color=…, once',
    ],
    [
      'an exploded matrix with more',
      'path',
      { style: 'matrix', explode: true, schema: LIST },
      ';color=blue;size=1',
      'must be written as ;color=…',
    ],
    ['a label without its dot', 'path', { style: 'label', schema: TEXT }, 'blue', 'must begin with a dot'],
  ])('is refused: %s', (_case, place, changes, text, fault) => {
    expect(check(place, changes, text)).toEqual([fault]);
  });
});

describe('a delimiter inside an item', () => {
  const items = { type: 'array', items: { enum: ['a,b', 'c;d', 'e.f', 'g'] }, minItems: 2 };

  it.each<[string, Place, Node, string]>([
    ['a comma in a query', 'query', { explode: false }, '?color=a%2Cb,g'],
    ['a comma in an exploded query', 'query', {}, '?color=a,b&color=g'],
    ['a comma in a path', 'path', {}, 'a%2Cb,g'],
    ['a comma in a matrix', 'path', { style: 'matrix' }, ';color=a%2Cb,g'],
    ['a semicolon in a matrix', 'path', { style: 'matrix', explode: true }, ';color=c%3Bd;color=g'],
    ['a comma in a label', 'path', { style: 'label' }, '.a%2Cb,g'],
    ['a dot in a label', 'path', { style: 'label' }, '.e.f,g'],
    ['a comma in a cookie', 'cookie', { explode: false }, 'color=a%2Cb,g'],
  ])('stays inside when it is encoded: %s', (_case, place, changes, text) => {
    expect(check(place, { ...changes, schema: items }, text)).toEqual([]);
  });

  it('stays inside the names and values of a map', () => {
    const schema = { type: 'object', properties: { 'a,b': { const: 'c=d' } }, required: ['a,b'] };
    expect(check('path', { schema }, 'a%2Cb,c=d')).toEqual([]);
    expect(check('path', { schema, explode: true }, 'a%2Cb=c%3Dd')).toEqual([]);
    expect(check('path', { schema, explode: true }, 'a%2Cb=c=d')).toEqual([]);
  });
});

describe('nothing', () => {
  const integer = { type: 'integer' };

  it.each<[string, Place, Node, string, string[]]>([
    ['is an empty text', 'query', { schema: { type: 'string' } }, '?color=', []],
    ['is an empty text without an equals sign', 'query', { schema: { type: 'string' } }, '?color', []],
    [
      'is a text that may be too short',
      'query',
      { schema: { type: 'string', minLength: 1 } },
      '?color=',
      ['must NOT have fewer than 1 characters'],
    ],
    ['is null, where that is allowed', 'query', { schema: { type: ['string', 'null'], minLength: 1 } }, '?color=', []],
    ['is null beside a list', 'query', { schema: { anyOf: [LIST, { type: 'null' }] } }, '?color=', []],
    ['is an empty list', 'query', { schema: { type: 'array', items: integer } }, '?color=', []],
    [
      'is an empty list in commas',
      'query',
      { explode: false, schema: { type: 'array', items: integer } },
      '?color=',
      [],
    ],
    [
      'is an empty list in a path',
      'path',
      { style: 'matrix', schema: { type: 'array', items: integer } },
      ';color',
      [],
    ],
    ['is an empty label', 'path', { style: 'label', schema: { type: 'string' } }, '.', []],
    ['is an empty header', 'header', { schema: { type: 'array', items: integer } }, '', []],
    ['is an empty map', 'query', { explode: false, schema: { type: 'object' } }, '?color=', []],
    ['is no number', 'query', { schema: integer }, '?color=', ['must be integer']],
    [
      'is no list that must have an item',
      'query',
      { schema: { type: 'array', items: integer, minItems: 1 } },
      '?color=',
      ['/0 must be integer'],
    ],
    ['passes with allowEmptyValue', 'query', { allowEmptyValue: true, schema: integer }, '?color=', []],
    [
      'passes with allowEmptyValue without an equals sign',
      'query',
      { allowEmptyValue: true, schema: integer },
      '?color',
      [],
    ],
    [
      'does not let anything else pass with allowEmptyValue',
      'query',
      { allowEmptyValue: true, schema: integer },
      '?color=x',
      ['must be integer'],
    ],
    [
      'given twice does not pass with allowEmptyValue',
      'query',
      { allowEmptyValue: true, schema: integer },
      '?color=&color=x',
      ['must be given once'],
    ],
    [
      'that is not there is still missing with allowEmptyValue',
      'query',
      { allowEmptyValue: true, schema: integer },
      '',
      ['is required'],
    ],
  ])('%s', (_case, place, changes, text, faults) => {
    expect(check(place, changes, text)).toEqual(faults);
  });
});

describe('a header', () => {
  it('in several lines is one list or one map', () => {
    const headers = { color: ['blue, black', 'brown'] };
    expect(checkParameters([{ name: 'Color', in: 'header', schema: LIST }], { headers })).toEqual([]);
    const map = { name: 'COLOR', in: 'header', schema: MAP };
    expect(checkParameters([map], { headers: { color: ['R, 100', 'G, 200, B, 150'] } })).toEqual([]);
  });

  it('in several lines is no text', () => {
    const color = { name: 'color', in: 'header', schema: TEXT };
    expect(checkParameters([color], { headers: { color: ['blue', 'blue'] } })).toEqual([
      { in: 'header', name: 'color', detail: 'must be given once' },
    ]);
  });
});

describe('a map that is spread over the cookies', () => {
  it('leaves the cookies of others alone', () => {
    expect(check('cookie', { schema: MAP }, 'sid=1; R=100; G=200; other=2; B=150')).toEqual([]);
    expect(check('cookie', { schema: MAP }, 'sid=1')).toEqual(['is required']);
  });
});

describe('a value that is encoded in a cookie', () => {
  it('is decoded in the style form and stays as it is in the style cookie', () => {
    const schema = { type: 'string', maxLength: 3 };
    expect(check('cookie', { schema }, 'color=a%20b')).toEqual([]);
    expect(check('cookie', { schema, style: 'cookie' }, 'color=a%20b')).not.toEqual([]);
    expect(check('cookie', { schema }, 'color=%zz')).toEqual([]);
  });
});

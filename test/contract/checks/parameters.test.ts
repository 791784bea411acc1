import { describe, expect, it } from '@jest/globals';
import type { RequestFault } from '../../../src/failures.ts';
import { faultsOf, pathParameter, type Node } from '../documents.ts';
import { checkParameters, type Sent } from '../parameter-source.ts';

/** What is wrong with a request, of an operation with this one parameter. */
function check(parameter: Node, sent: Sent): readonly RequestFault[] {
  return checkParameters([parameter], sent);
}

/** A parameter of the query. */
function inQuery(schema: Node | boolean, changes: Node = {}): Node {
  return { name: 'p', in: 'query', schema, ...changes };
}

const INTEGER = { type: 'integer', minimum: 1, maximum: 10 };
const LIST = { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 2 };
const MAP = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false };

describe('a parameter of the query is taken when it fits', () => {
  it.each<[string, Node, string]>([
    ['absent', inQuery(INTEGER), ''],
    ['an integer', inQuery(INTEGER), '?p=10'],
    ['a negative number', inQuery({ type: 'number' }), '?p=-1.5e3'],
    ['a truth', inQuery({ type: 'boolean' }), '?p=true'],
    ['anything', inQuery(true), '?p=x'],
    ['a text that looks like a number', inQuery({ type: 'string', maxLength: 4 }), '?p=0123'],
    ['an empty text', inQuery({ type: 'string' }), '?p='],
    ['one of the list', inQuery({ enum: ['open', 'a b'] }), '?p=a%20b'],
    ['one of two types', inQuery({ type: ['integer', 'null'] }), '?p=5'],
    ['a date', inQuery({ type: 'string', format: 'date-time' }), '?p=2026-01-01T00:00:00Z'],
    ['a name with a dollar', { ...inQuery(INTEGER), name: '$top' }, '?$top=5'],
    ['a list, each on its own', inQuery(LIST), '?p=a&p=b'],
    ['a list with commas', inQuery(LIST, { explode: false }), '?p=a,b'],
    ['a list with spaces', inQuery(LIST, { style: 'spaceDelimited', explode: false }), '?p=a%20b'],
    ['a list with pipes', inQuery(LIST, { style: 'pipeDelimited', explode: false }), '?p=a|b'],
    ['an item with a comma, each on its own', inQuery({ type: 'array', items: { enum: ['a,b'] } }), '?p=a,b'],
    ['a map as name and value', inQuery(MAP, { explode: false }), '?p=n,5'],
    ['a map spread over the query', inQuery(MAP), '?n=5'],
    ['a map in brackets', inQuery(MAP, { style: 'deepObject', explode: true }), '?p[n]=5'],
    ['JSON', { name: 'p', in: 'query', content: { 'application/json': { schema: MAP } } }, '?p=%7B%22n%22%3A5%7D'],
    ['not declared', inQuery(INTEGER), '?q=anything&q=else'],
  ])('%s', (_case, parameter, query) => {
    expect(check(parameter, { query })).toEqual([]);
  });
});

describe('a parameter of the query that does not fit', () => {
  const DEEP = { style: 'deepObject', explode: true };

  it.each<[string, Node, string, Partial<RequestFault>[]]>([
    ['missing', inQuery(INTEGER, { required: true }), '', [{ detail: 'is required' }]],
    ['a word for a number', inQuery(INTEGER), '?p=ten', [{ detail: 'must be integer' }]],
    ['nothing for a number', inQuery({ type: 'integer' }), '?p=', [{ detail: 'must be integer' }]],
    ['a fraction for an integer', inQuery({ type: 'integer' }), '?p=1.5', [{ detail: 'must be integer' }]],
    ['too much', inQuery(INTEGER), '?p=11', [{ detail: 'must be <= 10' }]],
    ['a number for a truth', inQuery({ type: 'boolean' }), '?p=1', [{ detail: 'must be boolean' }]],
    ['anything, where nothing is allowed', inQuery(false), '?p=1', [{ detail: 'boolean schema is false' }]],
    ['none of the list', inQuery({ enum: ['open', 'shut'] }), '?p=ajar', [{ detail: 'must be one of "open", "shut"' }]],
    ['given twice', inQuery(INTEGER), '?p=1&p=1', [{ detail: 'must be given once' }]],
    ['given twice, once encoded', inQuery({ type: 'string' }), '?p=a&%70=b', [{ detail: 'must be given once' }]],
    ['a list with a stranger', inQuery(LIST), '?p=a&p=c', [{ pointer: '/1', detail: 'must be one of "a", "b"' }]],
    ['a long list', inQuery(LIST, { explode: false }), '?p=a,b,a', [{ detail: 'must NOT have more than 2 items' }]],
    [
      'a list in one text, given twice',
      inQuery(LIST, { explode: false }),
      '?p=a&p=b',
      [{ detail: 'must be given once' }],
    ],
    ['a map with a word', inQuery(MAP, { explode: false }), '?p=n,x', [{ pointer: '/n', detail: 'must be integer' }]],
    [
      'a map in one text, given twice',
      inQuery(MAP, { explode: false }),
      '?p=n,5&p=n,x',
      [{ detail: 'must be given once' }],
    ],
    ['brackets with a word', inQuery(MAP, DEEP), '?p[n]=x', [{ pointer: '/n', detail: 'must be integer' }]],
    ['brackets with a stranger', inQuery(MAP, DEEP), '?p[n]=1&p[m]=1', [{ detail: 'must not have the property "m"' }]],
    ['brackets given twice', inQuery(MAP, DEEP), '?p[n]=x&p[n]=5', [{ detail: 'must be given once' }]],
    ['brackets missing', inQuery(MAP, { ...DEEP, required: true }), '?p=5', [{ detail: 'is required' }]],
    [
      'no JSON',
      { name: 'p', in: 'query', content: { 'application/json': { schema: MAP } } },
      '?p={',
      [{ detail: 'must be JSON' }],
    ],
    [
      'JSON of another shape',
      { name: 'p', in: 'query', content: { 'application/json': { schema: MAP } } },
      '?p=%7B%22n%22%3A%22x%22%7D',
      [{ pointer: '/n', detail: 'must be integer' }],
    ],
  ])('is one fault: %s', (_case, parameter, query, faults) => {
    expect(check(parameter, { query })).toEqual(
      faults.map((fault) => expect.objectContaining({ in: 'query', name: 'p', ...fault })),
    );
  });

  it.each(['0x5', '0b101', ' 5', '5 ', '+5', '٥'])(
    'cannot be a number that JSON would not take for one: %j',
    (text) => {
      expect(check(inQuery(INTEGER), { query: `?p=${encodeURIComponent(text)}` })).toEqual([
        { in: 'query', name: 'p', detail: 'must be integer' },
      ]);
    },
  );

  it('is every fault, of every parameter', () => {
    const parameters = [
      inQuery({ type: 'integer', multipleOf: 2, maximum: 10 }),
      { ...inQuery(INTEGER), name: 'q', required: true },
    ];
    expect(checkParameters(parameters, { query: '?p=11' }).map(({ name }) => name)).toEqual(['p', 'p', 'q']);
  });
});

describe('a map that is spread over the query', () => {
  it('leaves the other declared parameters alone', () => {
    const parameters = [inQuery(MAP), { ...inQuery(INTEGER), name: 'limit' }];
    expect(checkParameters(parameters, { query: '?n=1&limit=5' })).toEqual([]);
  });
});

/** A parameter of a header. */
function inHeader(schema: Node, changes: Node = {}): Node {
  return { name: 'X-Page', in: 'header', schema, ...changes };
}

describe('a parameter of a header', () => {
  it.each<[string, Node, Record<string, string>, string[]]>([
    ['absent', inHeader(INTEGER), {}, []],
    ['an integer', inHeader(INTEGER), { 'x-page': '5' }, []],
    ['a list', inHeader(LIST), { 'x-page': 'a, b' }, []],
    ['a map', inHeader(MAP), { 'x-page': 'n,5' }, []],
    ['an exploded map', inHeader(MAP, { explode: true }), { 'x-page': 'n=5' }, []],
    ['missing', inHeader(INTEGER, { required: true }), {}, ['is required']],
    ['a word', inHeader(INTEGER), { 'x-page': 'five' }, ['must be integer']],
    ['a list with a stranger', inHeader(LIST), { 'x-page': 'a,c' }, ['must be one of "a", "b"']],
  ])('%s', (_case, parameter, headers, details) => {
    const faults = check(parameter, { headers });
    expect(faults.map((fault) => [fault.in, fault.name, fault.detail])).toEqual(
      details.map((detail) => ['header', 'X-Page', detail]),
    );
  });

  it.each(['Accept', 'Content-Type', 'Authorization'])('called %s is described elsewhere', (name) => {
    expect(check({ ...inHeader(INTEGER, { required: true }), name }, {})).toEqual([]);
  });
});

describe('a parameter of a cookie', () => {
  const cookie = { name: 'page', in: 'cookie', required: true, schema: INTEGER };

  it.each([
    ['page=5', []],
    ['a=b; page=5; c=d', []],
    ['homepage=5', ['is required']],
    ['', ['is required']],
    ['page=five', ['must be integer']],
    ['page=1; page=2', ['must be given once']],
  ])('in %j', (text, details) => {
    const faults = check(cookie, { headers: { cookie: text } });
    expect(faults).toEqual(details.map((detail) => ({ in: 'cookie', name: 'page', detail })));
  });
});

describe('a parameter of the path', () => {
  it.each<[string, Node, string, string[]]>([
    ['an id', { type: 'string', format: 'uuid' }, '6e74172b-be56-4843-9ff4-e66a39bb12e3', []],
    ['no id', { type: 'string', format: 'uuid' }, '42', ['must match format "uuid"']],
    ['a number', INTEGER, '5', []],
    ['no number', INTEGER, 'five', ['must be integer']],
    ['a list', LIST, 'a,b', []],
    ['a list with a stranger', LIST, 'a,c', ['must be one of "a", "b"']],
  ])('%s', (_case, schema, value, details) => {
    const faults = check(pathParameter('id', { schema }), { path: { id: value } });
    expect(faults.map((fault) => [fault.in, fault.name, fault.detail])).toEqual(
      details.map((detail) => ['path', 'id', detail]),
    );
  });
});

describe('a declaration that cannot be enforced is a fault', () => {
  it.each<[string, Node, RegExp]>([
    ['deepObject for a text', inQuery({ type: 'string' }, { style: 'deepObject' }), /the style deepObject/],
    [
      'a schema that refers nowhere',
      inQuery({ items: { $ref: '#/components/schemas/No' } }),
      /#\/components\/schemas\/No/,
    ],
    ['a pattern that is none', inQuery({ type: 'string', pattern: '(' }), /\(/],
  ])('%s', async (_case, parameter, reason) => {
    expect(await faultsOf({ parameters: [parameter] })).toEqual([expect.stringMatching(reason)]);
  });

  it.each<[string, string]>([
    ['path', 'form'],
    ['header', 'form'],
    ['query', 'simple'],
    ['cookie', 'deepObject'],
  ])('a parameter in %s of the style %s', (place, style) => {
    expect(() => check({ ...inQuery(INTEGER), in: place, style }, {})).toThrow(
      `the parameter p has the style ${style}, which is not supported in ${place}`,
    );
  });
});

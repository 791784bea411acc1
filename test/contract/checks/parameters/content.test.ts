import { describe, expect, it } from '@jest/globals';
import type { Node } from '../../documents.ts';
import { checkParameters, type Sent } from '../../parameter-source.ts';

const MAP = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false };

/** A parameter with content. */
function withContent(mediaType: string, schema?: Node | boolean, changes: Node = {}): Node {
  return { name: 'p', in: 'query', content: { [mediaType]: schema === undefined ? {} : { schema } }, ...changes };
}

function check(parameter: Node, sent: Sent): string[] {
  return checkParameters([parameter], sent).map(({ pointer = '', detail }) => `${pointer} ${detail}`.trim());
}

const GOOD = encodeURIComponent('{"n":5}');
const BAD = encodeURIComponent('{"n":"5"}');

describe('a parameter with content', () => {
  it.each<[string, Node, Sent, string[]]>([
    ['JSON', withContent('application/json', MAP), { query: `?p=${GOOD}` }, []],
    ['JSON with parameters', withContent('Application/JSON; charset=utf-8', MAP), { query: `?p=${GOOD}` }, []],
    ['JSON of a vendor', withContent('application/vnd.x+json', MAP), { query: `?p=${BAD}` }, ['/n must be integer']],
    ['JSON that is none', withContent('application/json', MAP), { query: '?p=n' }, ['must be JSON']],
    [
      'JSON with a name twice',
      withContent('application/json', true),
      { query: '?p={"a":1,"a":2}' },
      ['must not be named twice'],
    ],
    ['JSON twice', withContent('application/json', MAP), { query: `?p=${GOOD}&p=${GOOD}` }, ['must be given once']],
    ['JSON without a schema', withContent('application/json'), { query: '?p=x&p=y' }, []],
    ['JSON in a header', withContent('application/json', MAP, { in: 'header' }), { headers: { p: '{"n":5}' } }, []],
    [
      'JSON in a cookie',
      withContent('application/json', MAP, { in: 'cookie' }),
      { headers: { cookie: 'a=b; p={"n":5}' } },
      [],
    ],
    [
      'JSON in the path',
      withContent('application/json', MAP, { in: 'path' }),
      { path: { p: BAD } },
      ['/n must be integer'],
    ],
    ['a text', withContent('text/plain', { type: 'string', maxLength: 3 }), { query: '?p=a%20b' }, []],
    [
      'a text that is too long',
      withContent('text/plain', { type: 'string', maxLength: 3 }),
      { query: '?p=abcd' },
      ['must NOT have more than 3 characters'],
    ],
    ['a text that is a number', withContent('text/plain', { type: 'integer' }), { query: '?p=5' }, []],
    [
      'a text that is no number',
      withContent('text/plain; charset=utf-8', { type: 'integer' }),
      { query: '?p=x' },
      ['must be integer'],
    ],
    ['what is not checked', withContent('application/xml', MAP), { query: '?p=<n/>&p=x' }, []],
    ['what is not checked and missing', withContent('application/xml', MAP, { required: true }), {}, ['is required']],
    [
      'anything, where nothing is allowed',
      withContent('text/plain', false),
      { query: '?p=' },
      ['boolean schema is false'],
    ],
  ])('%s', (_case, parameter, sent, faults) => {
    expect(check(parameter, sent)).toEqual(faults);
  });
});

describe('the whole query as one parameter', () => {
  const form = withContent(
    'application/x-www-form-urlencoded',
    {
      type: 'object',
      properties: { n: { type: 'integer' }, tags: { type: 'array', items: { enum: ['a b', 'c'] } } },
      additionalProperties: false,
    },
    { in: 'querystring' },
  );
  const json = withContent('application/json', MAP, { in: 'querystring' });

  it.each<[string, Node, string, string[]]>([
    ['a form', form, '?n=5&tags=a+b&tags=c', []],
    ['a form with a list of one', form, '?tags=c', []],
    ['a form with a word', form, '?n=five', ['/n must be integer']],
    ['a form with a number twice', form, '?n=5&n=6', ['/n must be given once']],
    ['a form with a stranger', form, '?x=5', ['must not have the property "x"']],
    ['JSON', json, `?${GOOD}`, []],
    ['JSON that does not fit', json, `?${BAD}`, ['/n must be integer']],
    ['JSON that is none', json, '?n=5', ['must be JSON']],
    ['nothing', json, '', []],
    ['a question mark', { ...json, required: true }, '?', ['is required']],
    ['what is not checked', withContent('application/xml', MAP, { in: 'querystring' }), '?a', []],
  ])('%s', (_case, parameter, query, faults) => {
    expect(check(parameter, { query })).toEqual(faults);
  });

  it('needs content', () => {
    expect(() => check({ name: 'p', in: 'querystring', schema: MAP }, {})).toThrow(/whole query and has no content/);
  });
});

import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { send, startBodyServer, verdictOf, type Verdict } from '../body-server.ts';
import { documentWith, loadGood, operation, type Node } from '../documents.ts';

const LIMIT = 1_000_000;

const ORDER = {
  type: 'object',
  required: ['customer', 'lines'],
  additionalProperties: false,
  properties: {
    customer: { type: 'string', minLength: 1 },
    'a/b': { type: 'integer' },
    lines: {
      type: 'array',
      items: { type: 'object', required: ['quantity'], properties: { quantity: { type: 'integer', minimum: 1 } } },
    },
  },
};

/** `POST` with these media types. */
function posting(content: Node, required = false): Node {
  return { post: operation({ requestBody: { required, content } }) };
}

const JSON_BODY = { 'application/json': { schema: ORDER } };
const contract = await loadGood(
  documentWith({
    '/order': posting(JSON_BODY, true),
    '/optional': posting(JSON_BODY),
    '/patch': posting({
      'application/merge-patch+json': { schema: ORDER },
      'application/vnd.a.v1+json': { schema: ORDER },
    }),
    '/either': posting({ ...JSON_BODY, 'text/*': {} }),
    '/bytes': posting({ 'application/octet-stream': {} }, true),
    '/loose': posting({ 'application/json': {} }),
    '/undeclared': { post: operation() },
    '/named': posting({
      'application/json; v=2': { schema: ORDER },
      'application/JSON;v=1': { schema: false },
      'text/json': { schema: ORDER },
      'application/*+json': { schema: ORDER },
      'application/geo+json': { schema: false },
      'text/csv': {},
    }),
    '/any': posting({ '*/*': { schema: ORDER } }),
    '/application': posting({ 'application/*': { schema: ORDER }, 'application/problem+json': { schema: true } }),
    '/file': posting({ '*/*': { schema: { type: 'string', format: 'binary' } } }),
    '/no-json': posting({ 'application/json': { schema: false }, '*/*': {} }),
    '/forms': posting({
      'application/x-www-form-urlencoded': { schema: ORDER },
      'multipart/form-data': { schema: ORDER },
    }),
    '/both': {
      post: operation({
        parameters: [
          { name: 'n', in: 'query', schema: { type: 'integer' } },
          { name: 'from', in: 'header', schema: { enum: ['good'] } },
        ],
        requestBody: { content: JSON_BODY },
      }),
    },
  }),
);
const server = await startBodyServer(contract, LIMIT);
afterAll(() => server.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD = JSON.stringify({ customer: 'Fabrikam', lines: [{ quantity: 1 }] });

/** The verdict on a JSON body. */
async function judge(path: string, body: string | Buffer, headers: OutgoingHttpHeaders = JSON_TYPE): Promise<Verdict> {
  return verdictOf(await send(server, path, headers, [body]));
}

describe('a JSON body that fits', () => {
  it.each<[string, string, string, OutgoingHttpHeaders]>([
    ['', '/order', GOOD, JSON_TYPE],
    [' with white space, which is kept', '/order', ` ${GOOD}\n`, JSON_TYPE],
    [' with a charset', '/order', GOOD, { 'content-type': 'Application/JSON; charset=utf-8' }],
    [' of a type that ends in +json', '/patch', GOOD, { 'content-type': 'application/merge-patch+json' }],
    [' of a type of a vendor', '/patch', GOOD, { 'content-type': 'application/vnd.a.v1+json' }],
    [' of a declared length', '/order', GOOD, { ...JSON_TYPE, 'content-length': GOOD.length }],
  ])('goes on as it came%s', async (_case, path, body, headers) => {
    expect(await judge(path, body, headers)).toEqual({ outcome: 'accepted', body, isReplayable: true });
  });

  it('in pieces that cut a letter in two goes on whole', async () => {
    const bytes = Buffer.from(GOOD.replace('Fabrikam', 'Müller'));
    const cut = bytes.indexOf('ü') + 1;
    const answer = await send(server, '/order', JSON_TYPE, [bytes.subarray(0, cut), bytes.subarray(cut)]);
    expect(verdictOf(answer)).toMatchObject({ outcome: 'accepted', body: bytes.toString() });
  });

  it('but is too large to be kept goes on once', async () => {
    const body = GOOD.replace('Fabrikam', 'x'.repeat(70000));
    expect(await judge('/order', body)).toEqual({ outcome: 'accepted', body, isReplayable: false });
  });
});

describe('a JSON body that does not fit', () => {
  it.each<[string, unknown, [pointer: string, detail: string][]]>([
    ['a missing property', { customer: 'A' }, [['', "must have required property 'lines'"]]],
    ['another type', { customer: 5, lines: [] }, [['/customer', 'must be string']]],
    ['an unknown property', { customer: 'A', lines: [], x: 1 }, [['', 'must not have the property "x"']]],
    [
      'a place deep inside',
      { customer: 'A', lines: [{ quantity: 1 }, { quantity: 0 }] },
      [['/lines/1/quantity', 'must be >= 1']],
    ],
    ['a name that needs an escape', { customer: 'A', lines: [], 'a/b': 'x' }, [['/a~1b', 'must be integer']]],
    [
      'a number as text, which is no number',
      { customer: 'A', lines: [{ quantity: '1' }] },
      [['/lines/0/quantity', 'must be integer']],
    ],
    ['no object at all', [], [['', 'must be object']]],
    [
      'several faults',
      { customer: '', lines: [{}, { quantity: 'x' }] },
      [
        ['/customer', 'must NOT have fewer than 1 characters'],
        ['/lines/0', "must have required property 'quantity'"],
        ['/lines/1/quantity', 'must be integer'],
      ],
    ],
  ])('has one entry for each fault: %s', async (_case, body, faults) => {
    expect(await judge('/order', JSON.stringify(body))).toEqual({
      outcome: '400 invalid_request',
      errors: faults.map(([pointer, detail]) => ({ in: 'body', pointer, detail })),
    });
  });

  it('has its faults beside those of the parameters', async () => {
    expect(await judge('/both?n=x', JSON.stringify({ customer: 'A' }))).toEqual({
      outcome: '400 invalid_request',
      errors: [
        { in: 'query', name: 'n', detail: 'must be integer' },
        { in: 'body', pointer: '', detail: "must have required property 'lines'" },
      ],
    });
  });

  it('and has a thousand faults is told fifty', async () => {
    const lines = Array.from({ length: 1_000 }, () => ({}));
    expect((await judge('/order', JSON.stringify({ customer: 'A', lines }))).errors).toHaveLength(50);
  });
});

describe('a body that cannot be read as JSON', () => {
  it.each<[string, string | Buffer]>([
    ['no JSON', '{ customer: 1 }'],
    ['half of it', GOOD.slice(0, -1)],
    ['two of it', GOOD + GOOD],
    ['a form', 'customer=A'],
    ['white space', ' '],
    ['not UTF-8', Buffer.from('{"customer":"\xe9","lines":[]}', 'latin1')],
    ['UTF-16', Buffer.from(GOOD, 'utf16le')],
    ['compressed in secret', gzipSync(GOOD)],
  ])('is one fault: %s', async (_case, body) => {
    expect(await judge('/order', body)).toEqual({
      outcome: '400 invalid_request',
      errors: [{ in: 'body', detail: 'must be JSON in UTF-8' }],
    });
  });

  it.each(['gzip', 'br', 'x'])('is one fault: compressed with %s', async (encoding) => {
    expect(await judge('/order', gzipSync(GOOD), { ...JSON_TYPE, 'content-encoding': encoding })).toEqual({
      outcome: '400 invalid_request',
      errors: [{ in: 'header', name: 'content-encoding', detail: 'must be absent: the body is checked' }],
    });
  });
});

describe('a JSON body that two servers could read in two ways', () => {
  it.each<[string, string, string | undefined, string]>([
    [
      'a member twice',
      '{"customer":"A","lines":[{"quantity":1,"quantity":2}]}',
      '/lines/0/quantity',
      'must not be named twice',
    ],
    [
      'a member twice, once escaped',
      String.raw`{"customer":"A","lines":[],"\u0063ustomer":"B"}`,
      '/customer',
      'must not be named twice',
    ],
    ['too many levels', '['.repeat(100_000), undefined, 'must be JSON in UTF-8'],
    [
      'too many levels and as many ends',
      '['.repeat(100_000) + ']'.repeat(100_000),
      undefined,
      'must not be nested more than 500 levels deep',
    ],
  ])('is one fault: %s', async (_case, body, pointer, detail) => {
    expect(await judge('/order', body)).toEqual({
      outcome: '400 invalid_request',
      errors: [pointer === undefined ? { in: 'body', detail } : { in: 'body', pointer, detail }],
    });
  });

  it.each(['utf-16', 'UTF-16LE', '"iso-8859-1"', 'utf-7', 'us-ascii', '', 'utf-8; charset=utf-16', '"utf-8'])(
    'is not supported: the charset %s',
    async (charset) => {
      expect(await judge('/order', GOOD, { 'content-type': `application/json; charset=${charset}` })).toEqual({
        outcome: '415 invalid_request',
        errors: [{ in: 'header', name: 'content-type', detail: 'must not name another charset than UTF-8' }],
      });
    },
  );

  it.each(['utf-8', 'UTF-8', '"Utf-8"', 'utf8', ' utf-8 ; odata=minimal'])('is not one in %s', async (charset) => {
    const headers = { 'content-type': `application/json; Charset=${charset}` };
    expect((await judge('/order', GOOD, headers)).outcome).toBe('accepted');
  });

  it('is none where nothing is checked', async () => {
    const headers = { 'content-type': 'text/csv; charset=utf-16' };
    expect(await send(server, '/either', headers, ['a'])).toEqual({ way: 'streamed', text: 'a' });
  });
});

describe('a body of another type than the contract names', () => {
  it.each<[string, string, OutgoingHttpHeaders, string]>([
    ['text', '/order', { 'content-type': 'text/plain' }, 'application/json'],
    ['none', '/order', {}, 'application/json'],
    ['another +json', '/order', { 'content-type': 'application/merge-patch+json' }, 'application/json'],
    ['two in one', '/order', { 'content-type': 'text/plain, application/json' }, 'application/json'],
    [
      'text where others are declared',
      '/patch',
      { 'content-type': 'text/plain' },
      'application/merge-patch+json or application/vnd.a.v1+json',
    ],
    ['an image', '/either', { 'content-type': 'image/png' }, 'application/json or text/*'],
  ])('is no way around the check: %s', async (_case, path, headers, allowed) => {
    expect(await judge(path, GOOD, headers)).toEqual({
      outcome: '400 invalid_request',
      errors: [{ in: 'header', name: 'content-type', detail: `must be ${allowed}` }],
    });
  });
});

describe('a JSON body by any of its names', () => {
  it.each<[string, string, string]>([
    ['text/json', '/named', 'text/json'],
    ['one of a range with a suffix', '/named', 'application/vnd.x+json'],
    ['… with parameters', '/named', 'application/vnd.x+json; odata.metadata=minimal'],
    ['one with the parameters of the contract', '/named', 'application/json; V="2"'],
    ['one with others beside them', '/named', 'application/json; charset=utf-8; v=2'],
    ['one without its parameters', '/named', 'application/json'],
    ['any type', '/any', 'application/json'],
    ['any type, with a suffix', '/any', 'Application/Vnd.X+JSON'],
    ['any type, text', '/any', 'text/json; charset=utf-8'],
    ['any type, a model with a suffix', '/any', 'model/gltf+json'],
    ['any application', '/application', 'application/json'],
  ])('is checked: %s', async (_case, path, type) => {
    const headers = { 'content-type': type };
    expect((await judge(path, GOOD, headers)).outcome).toBe('accepted');
    expect((await judge(path, '{"customer":5,"lines":[]}', headers)).errors).toEqual([
      { in: 'body', pointer: '/customer', detail: 'must be string' },
    ]);
  });

  it.each<[string, string, string]>([
    ['the narrower name', '/named', 'application/geo+json'],
    ['the parameters that fit', '/named', 'application/json; v=1'],
    ['the name before any type', '/no-json', 'application/json'],
  ])('is checked by what fits best: %s', async (_case, path, type) => {
    expect((await judge(path, GOOD, { 'content-type': type })).errors).toEqual([
      { in: 'body', pointer: '', detail: 'boolean schema is false' },
    ]);
  });

  it('without a Content-Type is checked where any type may come', async () => {
    expect((await judge('/any', '[]', {})).errors).toEqual([{ in: 'body', pointer: '', detail: 'must be object' }]);
  });

  it.each<[string, string, string]>([
    ['JSON of a type whose schema is true', '/application', 'application/problem+json'],
    ['another type under any type', '/any', 'application/octet-stream'],
    ['another application', '/application', 'application/pdf'],
    ['a file that happens to be JSON', '/file', 'application/json'],
    ['lines of JSON', '/any', 'application/x-ndjson'],
    ['a form', '/forms', 'application/x-www-form-urlencoded'],
    ['a form in parts', '/forms', 'multipart/form-data; boundary=x'],
  ])('is not taken for one: %s', async (_case, path, type) => {
    expect(await send(server, path, { 'content-type': type }, ['[]'])).toEqual({ way: 'streamed', text: '[]' });
  });

  it.each<[string, string, string, string]>([
    [
      'another name',
      '/named',
      'application/x-json',
      'application/json; v=2 or application/JSON;v=1 or text/json or application/*+json or application/geo+json or text/csv',
    ],
    [
      'a suffix of another type',
      '/named',
      'text/x+json',
      'application/json; v=2 or application/JSON;v=1 or text/json or application/*+json or application/geo+json or text/csv',
    ],
    ['two in one', '/any', 'text/plain, application/json', '*/*'],
    ['half a name', '/any', 'application', '*/*'],
    [
      'two in one of a kind',
      '/application',
      'application/pdf,application/json',
      'application/* or application/problem+json',
    ],
  ])('is refused under a name that nobody declared: %s', async (_case, path, type, allowed) => {
    expect(await judge(path, GOOD, { 'content-type': type })).toEqual({
      outcome: '400 invalid_request',
      errors: [{ in: 'header', name: 'content-type', detail: `must be ${allowed}` }],
    });
  });
});

describe('a member that is named twice', () => {
  it.each([
    ['__proto__', '{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['constructor', '{"constructor":1,"a":{"constructor":2},"constructor":3}', '/constructor'],
    ['a name with an escape', String.raw`{"a\/b":1,"a/b":2}`, '/a~1b'],
    ['a name with a slash, once escaped', String.raw`{"a\u002fb":1,"a/b":2}`, '/a~1b'],
    ['__proto__ with an escape', String.raw`{"__proto__":1,"\u005f_proto__":2}`, '/__proto__'],
    ['a pair of surrogates', String.raw`{"😀":1,"\ud83d\ude00":2}`, '/😀'],
  ])('is a fault: %s', async (_case, text, pointer) => {
    expect((await judge('/any', text)).errors).toEqual([{ in: 'body', pointer, detail: 'must not be named twice' }]);
  });
});

describe('no body', () => {
  it('where one is required is a fault', async () => {
    const answers = await Promise.all(
      ['/order', '/bytes'].map((path) => send(server, path, { 'content-length': 0 }, [])),
    );
    const missing = { outcome: '400 invalid_request', errors: [{ in: 'body', detail: 'is required' }] };
    expect(answers.map(verdictOf)).toEqual([missing, missing]);
  });

  it('where one is optional, or none is declared, is well', async () => {
    const answers = await Promise.all(
      ['/optional', '/undeclared'].map((path) => send(server, path, { 'content-length': 0 }, [])),
    );
    expect(answers.map(({ way }) => way)).toEqual(['none', 'none']);
  });

  it('but an empty one where JSON is expected is a fault', async () => {
    const answer = await send(server, '/optional', { ...JSON_TYPE, 'transfer-encoding': 'chunked' }, []);
    expect(verdictOf(answer).errors).toEqual([{ in: 'body', detail: 'must be JSON in UTF-8' }]);
  });
});

describe('a body over the limit', () => {
  const large = Buffer.alloc(LIMIT + 1, ' ');

  it.each<[string, string, OutgoingHttpHeaders]>([
    ['of a declared length, to be checked', '/order', { ...JSON_TYPE, 'content-length': large.length }],
    ['in chunks, to be checked', '/order', { ...JSON_TYPE, 'transfer-encoding': 'chunked' }],
    ['of a declared length, to be streamed', '/undeclared', { 'content-length': large.length }],
  ])('is too large: %s', async (_case, path, headers) => {
    expect((await judge(path, large, headers)).outcome).toBe('413 payload_too_large');
  });

  it('in chunks, to be streamed, breaks off', async () => {
    const chunks = Array.from({ length: 3 }, () => large.subarray(0, LIMIT / 2));
    await expect(send(server, '/undeclared', { 'transfer-encoding': 'chunked' }, chunks)).rejects.toThrow();
  });

  it('is not reached by one of just that size', async () => {
    const body = GOOD.padEnd(LIMIT);
    expect((await judge('/order', body)).outcome).toBe('accepted');
    expect((await send(server, '/undeclared', { 'content-length': LIMIT }, [body])).text).toHaveLength(LIMIT);
  });
});

describe('a body of which nothing is to be checked', () => {
  it.each([
    ['not declared', '/undeclared', {}],
    ['declared as bytes', '/bytes', { 'content-type': 'application/octet-stream' }],
    ['declared as bytes, sent as something else', '/bytes', { 'content-type': 'image/png' }],
    ['JSON without a schema', '/loose', JSON_TYPE],
    ['one of the other types', '/either', { 'content-type': 'text/csv' }],
    ['compressed', '/undeclared', { 'content-encoding': 'gzip' }],
  ])('passes untouched: %s', async (_case, path, headers) => {
    const bytes = Buffer.from('{ no JSON é', 'utf8');
    expect(await send(server, path, headers, [bytes])).toEqual({ way: 'streamed', text: bytes.toString() });
  });

  it('passes before it is complete', async () => {
    const req = request({ port: server.port, host: '127.0.0.1', method: 'POST', path: '/undeclared' });
    req.write('first');
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    const [piece] = (await once(res, 'data')) as [Buffer];
    req.end();
    await once(res.resume(), 'end');
    expect(String(piece)).toBe('first');
  });
});

describe('a header that Node drops when it comes twice', () => {
  it('is a fault, because the other server may read the second', async () => {
    const headers = ['host', 'a.example', 'from', 'good', 'from', 'bad', 'content-length', '0'];
    expect(verdictOf(await send(server, '/both', headers, []))).toEqual({
      outcome: '400 invalid_request',
      errors: [{ in: 'header', name: 'from', detail: 'must be given once' }],
    });
  });
});

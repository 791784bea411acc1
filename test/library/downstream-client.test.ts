import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import axios, { isCancel } from 'axios';
import express, { type Request } from 'express';
import { startApplicationWorld } from '../support/application-world.ts';
import { answerPlainly, answerWith, readBody, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import type { DownstreamClient } from '../../src/index.ts';

const world = await startApplicationWorld({
  graph: { timeout: { idle: '500ms' } },
  orders: { headers: { set: { 'x-api-key': 'fixed' }, pass: ['x-forwarded-host'] }, query: { 'api-version': '1' } },
  downstreams: { elsewhere: { scopes: ['api://orders/user_impersonation'] } },
});
const { obo, emulator, graph, orders } = world;
let url: string;
/** What the handler of the next request does. */
let handle: (req: Request) => Promise<unknown>;

beforeAll(async () => {
  const app = express();
  app.all('/', obo.protect(), async (req, res) => {
    try {
      res.json({ result: (await handle(req)) ?? null });
    } catch (error) {
      res.status(599).json({
        name: (error as Error).name,
        message: (error as Error).message,
        code: (error as { code?: string }).code,
      });
    }
  });
  url = await world.listen(app);
});
afterAll(() => world.close());
afterEach(() => {
  emulator.exchanges.length = 0;
  graph.reset();
  orders.reset();
});

const bearer = world.token('adele');

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function ask(work: (req: Request) => Promise<unknown>, init: Asked = {}): Promise<Response> {
  handle = work;
  return fetch(url, { ...init, headers: { authorization: `Bearer ${bearer}`, ...init.headers } });
}

/** What a handler gets of a client of the downstream `orders`. */
async function askOrders<T>(
  work: (client: DownstreamClient, req: Request) => Promise<T>,
  init: Asked = {},
): Promise<T> {
  const response = await ask((req) => work(obo.downstream(req, 'orders'), req), init);
  const answer = (await response.json()) as { result: T };
  if (response.status !== 200) {
    throw new Error(JSON.stringify(answer));
  }
  return answer.result;
}

function toCode(error: { readonly code?: string }): string | undefined {
  return error.code;
}

describe('which headers leave', () => {
  it('the token, the id of the request and what the handler says, and nothing of its caller', async () => {
    await askOrders((client) => client.get('/items', { headers: { 'x-mine': 'yes' } }), {
      headers: {
        cookie: 'session=1',
        'x-forwarded-for': '192.0.2.1',
        'x-callers': 'no',
        'x-request-id': 'abc',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-ms-client-principal': 'me',
      },
    });
    const { rawHeaders } = orders.last;
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'host',
      'traceparent',
      'x-api-key',
      'x-mine',
      'x-request-id',
    ]);
    expect(valuesOf(rawHeaders, 'x-request-id')).toEqual(['abc']);
    expect(valuesOf(rawHeaders, 'host')).toEqual([`127.0.0.1:${orders.port}`]);
  });

  it('not what a handler must not set', async () => {
    const forbidden = {
      authorization: 'Bearer mine',
      cookie: 'a=b',
      host: 'evil.example',
      'transfer-encoding': 'chunked',
      connection: 'x-mine',
      'keep-alive': '1',
      'x-forwarded-for': '192.0.2.1',
      forwarded: 'for=192.0.2.1',
      'x-real-ip': '192.0.2.1',
      'x-original-url': '/admin',
      'proxy-authorization': 'x',
      with_underscore: '1',
      'content-length': '999',
      'x-api-key': 'mine',
    };
    await askOrders((client) => client.get('/items', { headers: forbidden }));
    await askOrders(async (client) => void (await client.fetch('/items', { headers: forbidden })));
    for (const { rawHeaders } of orders.requests) {
      const text = rawHeaders.join('\n');
      expect(text).not.toMatch(/\n(?:mine|.*a=b.*|.*evil.*|192\.0\.2.*|admin|underscore|999)(?:\n|$)|keep-alive\n1/);
      expect(valuesOf(rawHeaders, 'x-api-key')).toEqual(['fixed']);
      expect(valuesOf(rawHeaders, 'authorization')).toHaveLength(1);
    }
  });

  it('what the configuration lets pass', async () => {
    await askOrders((client) => client.get('/items', { headers: { 'x-forwarded-host': 'shop.example' } }));
    expect(valuesOf(orders.last.rawHeaders, 'x-forwarded-host')).toEqual(['shop.example']);
  });
});

describe('where calls go', () => {
  it.each([
    ['/items', '/base/items?api-version=1'],
    ['items', '/base/items?api-version=1'],
    ['items:search', '/base/items:search?api-version=1'],
    ['items?a=b', '/base/items?a=b&api-version=1'],
    ['?a=b', '/base?a=b&api-version=1'],
    ['', '/base?api-version=1'],
    ['/a b/ü', '/base/a%20b/%C3%BC?api-version=1'],
    ['/a%2Fb', '/base/a%2Fb?api-version=1'],
    ['/items?api-version=2', '/base/items?api-version=1'],
  ])('%j is below the base address', async (path, arrives) => {
    await askOrders((client) => client.get(path));
    await askOrders(async (client) => void (await client.fetch(path)));
    expect(orders.requests.map((request) => request.url)).toEqual([arrives, arrives]);
  });

  it('parameters are added, and an absolute address below the base address is taken', async () => {
    const next = `http://127.0.0.1:${orders.port}/base/items?$skip=2`;
    await askOrders((client) => client.get(next, { params: { a: [1, 2] } }));
    expect(orders.last.url).toBe('/base/items?$skip=2&a%5B%5D=1&a%5B%5D=2&api-version=1');
  });

  const strange = [
    'https://evil.example/base/items',
    '//evil.example/base/items',
    '/\\evil.example',
    'http://127.0.0.1@evil.example/base',
    '/../admin',
    '/items/../../admin',
    '/%2e%2e/admin',
    '/%252e%252e/admin',
    '/..%2fadmin',
    '/..%5cadmin',
    '/.%2e/admin',
    '/items/\u0000',
    '/items/..;/admin',
    '/items/..;a=b/admin',
    '/items/%2e%2e%3b/admin',
    '/items/..%20/admin',
    'file:///etc/passwd',
  ];
  it.each([
    ...strange,
    () => `http://127.0.0.1:${orders.port}/basement`,
    () => `http://127.0.0.1:${graph.port}/base/items`,
  ])('%j is refused before a token is fetched', async (path) => {
    const target = typeof path === 'string' ? path : path();
    const fresh = world.token('adele', { claims: { uti: target } });
    const headers = { authorization: `Bearer ${fresh}` };
    for (const work of [
      (req: Request) => obo.downstream(req, 'orders').get(target),
      (req: Request) => obo.downstream(req, 'orders').fetch(target),
    ]) {
      expect((await ask(work, { headers })).status).toBe(599);
    }
    expect([orders.requests.length, graph.requests.length, emulator.exchanges.length]).toEqual([0, 0, 0]);
  });

  it('another base address of the handler does not lead elsewhere', async () => {
    const response = await ask((req) =>
      obo.downstream(req, 'orders').get('/items', { baseURL: 'https://evil.example' }),
    );
    expect([response.status, await response.text()]).toEqual([599, expect.stringContaining('No token was fetched')]);
  });

  it('a redirect is an answer', async () => {
    orders.answer = answerWith(302, ['location', 'https://evil.example/']);
    const status = await askOrders(async (client) => (await client.fetch('/items')).status);
    expect([status, orders.requests.length]).toEqual([302, 1]);
    expect((await ask((req) => obo.downstream(req, 'orders').get('/items'))).status).toBe(599);
  });
});

describe('an axios instance', () => {
  it('rejects what is not 2xx as axios does, with the answer', async () => {
    orders.answer = answerWith(404, ['content-type', 'application/json', 'x-of', 'orders'], '{"error":"none"}');
    const seen = await askOrders(async (client) => {
      const error: unknown = await client.get('/items').catch((reason: unknown) => reason);
      return axios.isAxiosError(error)
        ? [
            error.code,
            error.response?.status,
            error.response?.data,
            error.response?.headers['x-of'],
            JSON.stringify(error).includes('eyJ'),
          ]
        : 'no axios error';
    });
    expect(seen).toEqual(['ERR_BAD_REQUEST', 404, { error: 'none' }, 'orders', false]);
  });

  it.each([
    ['without a challenge', []],
    ['with a challenge that asks for nothing', ['www-authenticate', 'Bearer error="invalid_token"']],
  ])('has a 401 %s as an answer, because no other token would change it', async (_what, headers) => {
    orders.answer = answerWith(401, headers, 'who are you?');
    const seen = await askOrders(async (client) => {
      const error: unknown = await client.get('/items').catch((reason: unknown) => reason);
      const answer = await client.fetch('/items');
      const { status, data } = axios.isAxiosError(error) ? (error.response ?? {}) : {};
      return [status, data, answer.status, await answer.text()];
    });
    expect(seen).toEqual([401, 'who are you?', 401, 'who are you?']);
  });

  it('knows validateStatus, interceptors, defaults and every verb', async () => {
    orders.answer = answerWith(418, [], 'tea');
    const seen = await askOrders(async (client) => {
      client.interceptors.request.use((config) => {
        config.headers.set('x-from', 'interceptor');
        return config;
      });
      client.interceptors.response.use((response) => Object.assign(response, { data: `${response.data as string}!` }));
      client.defaults.validateStatus = () => true;
      const all = [
        await client.request<string>({ url: '/a', method: 'REPORT' }),
        await client<string>('/b'),
        await client.head<string>('/c'),
        await client.delete<string>('/d'),
        await client.options<string>('/e'),
        await client.post<string>('/f', 'x'),
        await client.put<string>('/g', { a: 1 }),
        await client.patch<string>('/h', new URLSearchParams({ a: 'b' })),
      ];
      return all.map(({ data, status }) => [status, data]);
    });
    expect(seen).toEqual(['tea!', 'tea!', '!', 'tea!', 'tea!', 'tea!', 'tea!', 'tea!'].map((data) => [418, data]));
    expect(
      orders.requests.map(({ method, url: target, body }) => `${method} ${target.split('?')[0]} ${body.toString()}`),
    ).toEqual([
      'REPORT /base/a ',
      'GET /base/b ',
      'HEAD /base/c ',
      'DELETE /base/d ',
      'OPTIONS /base/e ',
      'POST /base/f x',
      'PUT /base/g {"a":1}',
      'PATCH /base/h a=b',
    ]);
    expect(orders.requests.every(({ rawHeaders }) => valuesOf(rawHeaders, 'x-from')[0] === 'interceptor')).toBe(true);
  });

  it('lets calls fail that nobody waits for, also those of an instance made of it', async () => {
    const unhandled: unknown[] = [];
    const keep = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', keep);
    orders.answer = answerWith(500);
    await askOrders(async (client) => {
      void client.post('/a');
      void client.create({ headers: { 'x-mine': 'yes' } }).get('/b');
      await until('both are sent', () => orders.requests.length === 2);
    });
    await askOrders((client) => client.get('/c').catch(() => {}));
    process.off('unhandledRejection', keep);
    expect([unhandled, orders.requests.filter(({ rawHeaders }) => rawHeaders.includes('x-mine')).length]).toEqual([
      [],
      1,
    ]);
  });

  it('sends bytes, forms and streams', async () => {
    const form = new FormData();
    form.set('file', new Blob(['content']), 'a.txt');
    await askOrders(async (client) => {
      await client.post('/bytes', new Uint8Array([1, 2, 3]));
      await client.post('/buffer', Buffer.from('buffer'));
      await client.post('/form', form);
      await client.post('/stream', Readable.from([Buffer.from('a'), Buffer.from('b')]));
      await client.fetch('/fetched', { method: 'POST', body: form });
      await client.fetch('/web', { method: 'POST', body: new Blob(['web']).stream(), duplex: 'half' });
      await client.fetch('/node', { method: 'POST', body: Readable.from([Buffer.from('c'), Buffer.from('d')]) });
      await client.postForm('/posted', { file: Buffer.from('content'), 'file.name': 'a.txt' });
    });
    const bodies = new Map(orders.requests.map((request) => [request.url.split('?')[0], request]));
    expect([...(bodies.get('/base/bytes')?.body ?? [])]).toEqual([1, 2, 3]);
    expect(bodies.get('/base/buffer')?.body.toString()).toBe('buffer');
    expect(bodies.get('/base/stream')?.body.toString()).toBe('ab');
    expect(bodies.get('/base/web')?.body.toString()).toBe('web');
    expect(bodies.get('/base/node')?.body.toString()).toBe('cd');
    expect(bodies.get('/base/posted')?.body.toString()).toContain('content');
    expect(valuesOf(bodies.get('/base/posted')?.rawHeaders ?? [], 'content-type')).toEqual([
      expect.stringMatching(/^multipart\/form-data; ?boundary=/),
    ]);
    for (const name of ['/base/form', '/base/fetched']) {
      const sent = bodies.get(name);
      expect(valuesOf(sent?.rawHeaders ?? [], 'content-type')[0]).toMatch(/^multipart\/form-data; ?boundary=/);
      expect(sent?.body.toString()).toContain('filename="a.txt"');
    }
  });

  it('sends on what fetch gets as a stream before all of it is here', async () => {
    async function* write(): AsyncGenerator<Buffer> {
      yield Buffer.from('first ');
      await until('the head is there', () => orders.requests.length === 1);
      yield Buffer.from('last');
    }
    await askOrders((client) => client.fetch('/slow', { method: 'POST', body: Readable.from(write()) }));
    expect(orders.last.body.toString()).toBe('first last');
  });

  it('gives bytes, text, JSON and streams, also of compressed answers', async () => {
    orders.answer = answerWith(
      200,
      ['content-type', 'application/json', 'content-encoding', 'gzip'],
      gzipSync('{"a":1}'),
    );
    const seen = await askOrders(async (client) => [
      (await client.get<object>('/json')).data,
      (await client.get<ArrayBuffer>('/bytes', { responseType: 'arraybuffer' })).data.byteLength,
      (await client.get<string>('/text', { responseType: 'text', transformResponse: [] })).data,
      (await buffer((await client.get<Readable>('/stream', { responseType: 'stream' })).data)).toString(),
      await (await client.fetch('/fetch')).json(),
      (await client.get<ArrayBuffer>('/raw', { responseType: 'arraybuffer', decompress: false })).data.byteLength,
    ]);
    expect(seen).toEqual([{ a: 1 }, 7, '{"a":1}', '{"a":1}', { a: 1 }, gzipSync('{"a":1}').length]);
  });

  it.each([
    ['204', [], 204],
    ['304', [], 304],
    ['an empty answer', ['content-length', '0'], 200],
  ] as const)('%s has nothing to decompress, whatever its headers say', async (_what, headers, status) => {
    orders.answer = answerWith(status, ['content-encoding', 'gzip', ...headers]);
    const seen = await askOrders(async (client) => {
      const { data } = await client.get<string>('/', { validateStatus: null });
      return [data, await (await client.fetch('/')).text()];
    });
    expect(seen).toEqual(['', '']);
  });

  it.each([
    ['is not what its headers say', 'gzip', Buffer.from('plain')],
    ['breaks off', 'gzip', gzipSync('{"a":1}').subarray(0, 15)],
    ['has another coding', 'br', gzipSync('{"a":1}')],
  ])('says whose fault it is when a compressed body %s', async (_what, coding, body) => {
    orders.answer = answerWith(200, ['content-encoding', coding], body);
    const codes = await askOrders(async (client) => [
      await client.get('/').catch(toCode),
      await client.fetch('/').then((response) => response.text().catch(toCode)),
    ]);
    expect(codes).toEqual(['downstream_invalid_response', 'downstream_invalid_response']);
  });

  it('holds no more of an answer in memory than a process can stand', async () => {
    const mebibyte = gzipSync(Buffer.alloc(1_024 * 1_024));
    orders.answer = (_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' });
      Readable.from(Array.from({ length: 110 }, () => mebibyte)).pipe(res);
    };
    const response = await ask((req) => obo.downstream(req, 'orders').get('/'));
    expect(await response.json()).toMatchObject({ code: 'ERR_BAD_RESPONSE' });
  });

  it('streams what is larger than memory should hold at once', async () => {
    orders.answer = (_req, res) => {
      Readable.from(
        (function* () {
          for (let times = 0; times < 400; times += 1) {
            yield Buffer.alloc(64 * 1_024);
          }
        })(),
      ).pipe(res);
    };
    const length = await askOrders(async (client) => {
      const { data } = await client.get<Readable>('/large', { responseType: 'stream' });
      let bytes = 0;
      for await (const chunk of data as AsyncIterable<Buffer>) {
        bytes += chunk.length;
      }
      return bytes;
    });
    expect(length).toBe(400 * 64 * 1_024);
  });

  it('ends a stream by its signal, and not by the timeout for its head', async () => {
    orders.answer = (_req, res) => {
      res.write('x');
    };
    const name = await askOrders(async (client) => {
      const controller = new AbortController();
      const { data } = await client.get<Readable>('/', {
        responseType: 'stream',
        signal: controller.signal,
        timeout: 10_000,
      });
      setTimeout(() => controller.abort(), 20);
      return buffer(data).then(
        () => 'whole',
        (error: Error) => error.name,
      );
    });
    expect(name).toBe('CanceledError');
    await until('the call is cancelled', () => orders.last.aborted);
  });

  it('ends calls by a token that they share, and leaves nothing that listens to it', async () => {
    const seen = await askOrders(async (client) => {
      const { token, cancel } = axios.CancelToken.source();
      const listeners = new Set<unknown>();
      const subscribe = token.subscribe.bind(token);
      const unsubscribe = token.unsubscribe.bind(token);
      token.subscribe = (listener) => {
        listeners.add(listener);
        subscribe(listener);
      };
      token.unsubscribe = (listener) => {
        listeners.delete(listener);
        unsubscribe(listener);
      };
      const call = (): Promise<unknown> => client.get('/', { cancelToken: token }).catch((error: unknown) => error);
      await call();
      const left = listeners.size;
      orders.answer = () => undefined;
      const running = call();
      await until('the call is there', () => orders.requests.length === 2);
      cancel();
      return [left, isCancel(await running), isCancel(await call()), orders.requests.length];
    });
    expect(seen).toEqual([0, true, true, 2]);
  });

  it('ends a call by signal, by timeout and by limit', async () => {
    orders.answer = async (req, res) => {
      await readBody(req);
      res.write('x'.repeat(1_000));
    };
    const seen = await askOrders(async (client) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      const aborted: unknown = await client
        .get('/abort', { signal: controller.signal })
        .catch((error: unknown) => error);
      const late: unknown = await client.get('/late', { timeout: 50 }).catch((error: unknown) => error);
      const large: unknown = await client.get('/large', { maxContentLength: 10 }).catch((error: unknown) => error);
      return [isCancel(aborted), (late as { code: string }).code, (large as { code: string }).code];
    });
    expect(seen).toEqual([true, 'ECONNABORTED', 'ERR_BAD_RESPONSE']);
    await until('the calls are cancelled', () => orders.requests.every(({ aborted }) => aborted));
  });
});

describe('what a handler cannot send', () => {
  it.each<[what: string, work: (client: DownstreamClient) => Promise<unknown>, says: string]>([
    ['a header name', (client) => client.get('/', { headers: { 'x-a\r\nx-evil': '1' } }), 'x-a'],
    ['a header value', (client) => client.get('/', { headers: { 'x-name': 'Łukasz' } }), 'encodeURIComponent'],
    ['a method', (client) => client.request({ method: 'GET /evil HTTP/1.1\r\nx: y' }), 'method'],
    ['a tunnel', (client) => client.request({ method: 'CONNECT' }), 'CONNECT'],
    ['a request for its own headers', (client) => client.request({ method: 'trace' }), 'TRACE'],
  ])('%s is refused before a token is fetched', async (what, work, says) => {
    const headers = { authorization: `Bearer ${world.token('adele', { claims: { uti: what } })}` };
    const response = await ask((req) => work(obo.downstream(req, 'orders')), { headers });
    expect(await response.json()).toMatchObject({ name: 'OboUsageError', message: expect.stringContaining(says) });
    expect([orders.requests.length, emulator.exchanges.length]).toEqual([0, 0]);
  });

  it('a line break in a header value makes no other header', async () => {
    await askOrders((client) => client.get('/', { headers: { 'x-a': 'a\r\nx-evil: 1' } }));
    expect(valuesOf(orders.last.rawHeaders, 'x-evil')).toEqual([]);
  });
});

describe('an answer that nobody reads', () => {
  it.each<[how: string, work: (client: DownstreamClient) => Promise<unknown>]>([
    ['fetch', (client) => client.fetch('/')],
    ['a stream of axios', (client) => client.get('/', { responseType: 'stream' }).catch(() => {})],
  ])('of %s lets go of its connection after the idle time', async (_how, work) => {
    graph.answer = (_req, res) => {
      // More than the buffers of a connection hold.
      res.writeHead(500).write(Buffer.alloc(16 * 1_024 * 1_024));
    };
    expect((await ask(async (req) => void (await work(obo.downstream(req, 'graph'))))).status).toBe(200);
    await until('the connection is free', () => graph.last.aborted);
  });

  it('because the caller does not read it ends the connection of the caller as well', async () => {
    graph.answer = (_req, res) => {
      // More than the buffers of two sockets take, of which Linux gives each up to 32 MB.
      res.writeHead(200).write(Buffer.alloc(160 * 1_024 * 1_024));
    };
    const app = express();
    let isClosed = false;
    app.get('/', obo.protect(), async (req, res) => {
      res.once('close', () => {
        isClosed = true;
      });
      (await obo.downstream(req, 'graph').get<Readable>('/', { responseType: 'stream' })).data.pipe(res);
    });
    const response = await fetch(await world.listen(app), { headers: { authorization: `Bearer ${bearer}` } });
    await until('the connection is closed', () => isClosed);
    await expect(response.arrayBuffer()).rejects.toThrow('terminated');
  });
});

describe('fetch', () => {
  it('resolves whatever the status is', async () => {
    orders.answer = answerWith(409, ['x-of', 'orders'], 'conflict');
    const seen = await askOrders(async (client) => {
      const response = await client.fetch(new URL(`http://127.0.0.1:${orders.port}/base/items`), {
        method: 'PUT',
        body: 'x',
      });
      return [response.ok, response.status, response.headers.get('x-of'), await response.text()];
    });
    expect([seen, orders.last.body.toString()]).toEqual([[false, 409, 'orders', 'conflict'], 'x']);
  });

  it('knows answers without a body', async () => {
    orders.answer = answerWith(204);
    expect(await askOrders(async (client) => (await client.fetch('/items')).status)).toBe(204);
  });

  it('has no answer for a status that is none', async () => {
    orders.answer = (_req, res) => {
      res.socket?.end('HTTP/1.1 999 Nonsense\r\ncontent-length: 0\r\n\r\n');
    };
    const answer = (await ask((req) => obo.downstream(req, 'orders').fetch('/items'))).json();
    expect(await answer).toMatchObject({ name: 'OboError', code: 'downstream_invalid_response' });
  });

  it('is ended by its signal', async () => {
    orders.answer = () => undefined;
    const name = await askOrders(async (client) => {
      const error: unknown = await client
        .fetch('/items', { signal: AbortSignal.timeout(50) })
        .catch((reason: unknown) => reason);
      return (error as Error).name;
    });
    expect(name).toBe('TimeoutError');
  });

  it('is ended by its signal while the body comes, with the reason of the signal', async () => {
    orders.answer = (_req, res) => {
      res.write('begun');
    };
    const name = await askOrders(async (client) => {
      const controller = new AbortController();
      const response = await client.fetch('/items', { signal: controller.signal });
      setTimeout(() => controller.abort(), 20);
      return response.text().catch((reason: Error) => reason.name);
    });
    expect(name).toBe('AbortError');
  });
});

describe('tokens for the clients of others', () => {
  it('are the header’s value, or the token in the shape of the Azure SDK', async () => {
    const [header, token, serves] = await askOrders(async (client) => {
      const value = await client.authorization();
      const { token: text, expiresOnTimestamp } = await client.token();
      return [value, text, expiresOnTimestamp > Date.now()] as const;
    });
    expect([header === `Bearer ${token}`, serves]).toEqual([true, true]);
  });

  it('of a downstream without an address can be had, and it cannot be called', async () => {
    const response = await ask(async (req) => {
      const client = obo.downstream(req, 'elsewhere');
      await client.authorization();
      return client.get('/items');
    });
    expect(await response.json()).toMatchObject({
      name: 'OboUsageError',
      message: expect.stringContaining('downstreams.elsewhere has no baseUrl'),
    });
  });

  it('are replaced when the downstream wanted claims', async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    const different = await askOrders(async (client) => {
      const before = await client.token();
      const after = await client.token({ claims });
      return before.token !== after.token && (await client.token({ claims })).token === after.token;
    });
    expect([different, emulator.exchanges.length]).toEqual([true, 1]);
  });
});

describe('when the caller leaves', () => {
  it('before anybody looks at its request, it is not under way for ever', async () => {
    const app = express();
    const controller = new AbortController();
    let hasLeft = false;
    app.use((_req, res, next) => {
      res.once('close', () => {
        hasLeft = true;
        setImmediate(next);
      });
      controller.abort();
    });
    app.get('/', obo.protect(), async (req, res) => {
      await obo.downstream(req, 'graph').get('/');
      res.end();
    });
    app.use(obo.answerErrors());
    const left = fetch(await world.listen(app), {
      headers: { authorization: `Bearer ${bearer}` },
      signal: controller.signal,
    }).catch(() => 'left');
    expect(await left).toBe('left');
    await until('the server knows', () => hasLeft);
    await until('nothing is under way', async () =>
      (await obo.metrics()).includes('gateway_http_requests_in_flight 0'),
    );
    expect(graph.requests).toHaveLength(0);
  });

  it('its calls are cancelled, and nothing breaks', async () => {
    let begun = 0;
    // Not `graph`, whose silences are short: nobody else may end the calls.
    orders.answer = (_req, res) => {
      begun += 1;
      res.write('x');
    };
    const controller = new AbortController();
    const left = ask(
      async (req) => {
        const { data } = await obo.downstream(req, 'orders').get<Readable>('/a', { responseType: 'stream' });
        data.resume();
        await Promise.all([
          obo.downstream(req, 'orders').get('/b'),
          obo
            .downstream(req, 'orders')
            .fetch('/c')
            .then((r) => r.text()),
        ]);
      },
      { signal: controller.signal },
    ).catch(() => 'left');
    await until('the calls are under way', () => begun === 3);
    controller.abort();
    expect(await left).toBe('left');
    await until('they are cancelled', () => orders.requests.every(({ aborted }) => aborted));
    orders.answer = answerPlainly;
    expect(
      (
        await ask((req) =>
          obo
            .downstream(req, 'orders')
            .get('/d')
            .then(({ status }) => status),
        )
      ).status,
    ).toBe(200);
  });
});

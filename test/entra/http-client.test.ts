import { once } from 'node:events';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { EntraHttpClient } from '../../src/entra/http-client.ts';

/** Everything that a proxy was sent, one text a connection. */
const proxied: string[] = [];
const proxy = createServer((socket) => listenTo(socket)).listen(0, '127.0.0.1');
await once(proxy, 'listening');
const entra = await listenOnLoopback({}, () => (_req, res) => res.end('{"from":"entra"}'));
const http = new EntraHttpClient(5_000);
const { port } = new URL(entra.origin);
afterAll(async () => {
  http.close();
  proxy.close();
  await entra.close();
});

/** Answers a request, and a CONNECT by a tunnel that ends with the first piece of what comes through it. */
function listenTo(socket: Socket): void {
  const index = proxied.push('') - 1;
  socket.on('error', () => {});
  socket.on('data', (piece) => {
    const isTunnel = proxied[index]?.startsWith('CONNECT ') === true;
    proxied[index] += piece.toString('latin1');
    if (isTunnel) {
      socket.end();
    } else if (piece.toString('latin1').startsWith('CONNECT ')) {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
    } else {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 16\r\nconnection: close\r\n\r\n{"from":"proxy"}');
    }
  });
}

const VARIABLES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
const before = Object.fromEntries([...VARIABLES, 'NO_PROXY', 'no_proxy'].map((name) => [name, process.env[name]]));
afterEach(() => {
  proxied.length = 0;
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) {
      delete process.env[name];
    } else {
      process.env[name] = value;
    }
  }
});

/** Lets the environment name the proxy, for every address. */
function nameProxy(...variables: string[]): void {
  for (const name of Object.keys(before)) {
    delete process.env[name];
  }
  for (const name of variables) {
    process.env[name] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }
}

describe('an address of this machine is never asked through a proxy, which would read the secret', () => {
  const hosts = ['localhost', '127.0.0.1', '127.1', 'LOCALHOST'];

  it.each(VARIABLES.filter((name) => !name.toLowerCase().startsWith('https')))('%s', async (variable) => {
    nameProxy(variable);
    const answers = await Promise.all(
      hosts.map((host) => http.post(`http://${host}:${port}/token`, {}, 'client_secret=s')),
    );
    expect([proxied, new Set(answers.map(({ text }) => text))]).toEqual([[], new Set(['{"from":"entra"}'])]);
  });

  it('also by its IPv6 address', async () => {
    nameProxy('HTTP_PROXY');
    await http.get('http://[::1]:1/').catch(() => undefined);
    expect(proxied).toEqual([]);
  });
});

describe('any other address is asked through the proxy of the environment', () => {
  it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])('%s', async (variable) => {
    nameProxy(variable);
    const { text } = await http.get('http://entra.test/keys');
    expect([text, proxied.length]).toEqual(['{"from":"proxy"}', 1]);
  });

  it.each(['HTTPS_PROXY', 'https_proxy'])('%s: by a tunnel that shows it nothing but TLS', async (variable) => {
    nameProxy(variable);
    const answer = http.post('https://entra.test/token', {}, 'client_secret=s');
    await expect(answer).rejects.toThrow();
    const [head = '', ...rest] = (proxied[0] ?? '').split('\r\n\r\n');
    expect([head.split('\r\n')[0], rest.join('\r\n\r\n').slice(0, 2)]).toEqual([
      'CONNECT entra.test:443 HTTP/1.1',
      '\x16\x03',
    ]);
    expect(proxied.join('')).not.toContain('client_secret');
  });

  it('unless NO_PROXY names it', async () => {
    nameProxy('HTTP_PROXY');
    process.env['NO_PROXY'] = 'entra.invalid';
    await http.get('http://entra.invalid/keys').catch(() => undefined);
    expect(proxied).toEqual([]);
  });

  it('or the client is told to use none', async () => {
    nameProxy('HTTP_PROXY');
    const direct = new EntraHttpClient(500, { useProxy: false });
    await direct.get('http://entra.invalid/keys').catch(() => undefined);
    direct.close();
    expect(proxied).toEqual([]);
  });
});

describe('a call without a proxy', () => {
  /** What a server does with a call, and what becomes of the call: status and text, or why there is no answer. */
  const cases: readonly (readonly [string, (res: ServerResponse) => unknown, string])[] = [
    ['takes every status', (res) => res.writeHead(418).end('{}'), '418 {}'],
    ['follows no redirect', (res) => res.writeHead(302, { location: '/elsewhere' }).end('moved'), '302 moved'],
    ['reads an answer in pieces', (res) => res.write('a') && setImmediate(() => res.end('ü')), '200 aü'],
    ['reads past a byte order mark', (res) => res.end('\ufeff{}'), '200 {}'],
    ['waits for what follows an early hint', (res) => (res.writeEarlyHints({ link: '</a>' }), res.end('{}')), '200 {}'],
    ['fails when the connection breaks before the answer', (res) => res.socket?.destroy(), 'ECONNRESET'],
    [
      'fails when the connection breaks in the midst of it',
      (res) => res.writeHead(200, { 'content-length': 9 }).write('{', () => res.socket?.destroy()),
      'ERR_BAD_RESPONSE',
    ],
    ['fails on an answer that is too long', (res) => res.end(Buffer.alloc(2 ** 20 + 1)), 'ERR_BAD_RESPONSE'],
    ['fails on an answer that is not HTTP', (res) => res.socket?.end('SSH-2.0-OpenSSH\r\n'), 'HTTPParserError'],
    ['fails when there is no answer in time', () => {}, 'deadline exceeded'],
    ['fails when the answer does not end in time', (res) => res.write('{'), 'deadline exceeded'],
  ];

  it.each(cases)('%s', async (_what, treat, outcome) => {
    const server = await listenOnLoopback({}, () => (_req, res) => void treat(res));
    const client = new EntraHttpClient(outcome === 'deadline exceeded' ? 50 : 10_000);
    expect(
      await client.post(server.origin, {}, 'a=b').then(
        ({ status, text }) => `${status} ${text}`,
        (error: Error) => error.message,
      ),
    ).toBe(outcome);
    client.close();
    await server.close();
  });

  it('is not taken for one that was never answered when its connection is reset in the midst of the answer', async () => {
    let begun: ServerResponse | undefined;
    const server = createHttpServer((req, res) => {
      if (req.method === 'POST') {
        begun = res.writeHead(200, { 'content-length': 9 });
        begun.write('{');
      } else {
        res.end('{}', () => begun?.socket?.resetAndDestroy());
      }
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const client = new EntraHttpClient(5_000);
    const outcome = client.post(url, {}, 'a=b').catch((error: Error) => error.message);
    await once(server, 'request');
    await client.get(url);
    expect(await outcome).toBe('ERR_BAD_RESPONSE');
    client.close();
    server.close();
  });

  it('keeps its connections for the next ones', async () => {
    let connections = 0;
    const server = createHttpServer((_req, res) => res.end('{}')).on('connection', () => (connections += 1));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const client = new EntraHttpClient(5_000);
    for (let call = 0; call < 10; call += 1) {
      await client.post(url, {}, 'a=b');
    }
    client.close();
    server.close();
    // undici lets a connection rest for one turn of the event loop.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('sends what it is given, and the names that axios gives', async () => {
    const server = await listenOnLoopback({}, () => (req, res) => {
      res.end(JSON.stringify([req.method, req.url, req.headers['content-type'], req.headers['user-agent']]));
    });
    const client = new EntraHttpClient(5_000);
    const { text } = await client.post(`${server.origin}/token?a=b`, { 'Content-Type': 'text/plain' }, 'c=d');
    client.close();
    await server.close();
    expect(JSON.parse(text)).toEqual(['POST', '/token?a=b', 'text/plain', expect.stringMatching(/^axios\/1\./)]);
  });

  it('fails at once when nothing listens, and when the client is closed', async () => {
    const client = new EntraHttpClient(5_000);
    const refused = client.get('http://127.0.0.1:1/');
    await expect(refused).rejects.toThrow('ECONNREFUSED');
    client.close();
    await expect(client.get(`http://localhost:${port}/`)).rejects.toThrow('closed');
  });

  it('fails at its deadline while there is no connection yet', async () => {
    const client = new EntraHttpClient(50);
    const silent = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const call = client.get(`https://127.0.0.1:${(silent.address() as AddressInfo).port}/`);
    await expect(call).rejects.toThrow('deadline exceeded');
    client.close();
    silent.close();
  });
});

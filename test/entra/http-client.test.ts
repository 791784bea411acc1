import { once } from 'node:events';
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

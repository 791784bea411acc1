import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, IncomingMessage, request as httpRequest, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, Socket, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Dispatcher } from 'undici';
import { Downstream } from '../../src/forward/downstream.ts';
import { forward, type DownstreamCall } from '../../src/forward/forward.ts';
import type { TlsSettings } from '../../src/forward/tls-files.ts';
import { openWebSocket } from '../../src/forward/websocket.ts';
import { NO_BODY } from '../../src/request/body.ts';
import { agree } from '../support/websocket-echo.ts';
import { makeAuthority, readCertificate, type CertificateAuthority } from '../support/tls-certificates.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
const folder = mkdtempSync(join(tmpdir(), 'downstream-proxy-'));
afterAll(async () => {
  servers.forEach((server) => server.close());
  sockets.forEach((socket) => socket.destroy());
  await rm(folder, { recursive: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What a proxy was asked, and what it does. */
const proxy = {
  seen: [] as { readonly line: string; readonly headers: IncomingMessage['headers'] }[],
  /** A status instead of the tunnel or the answer; `silence` for none at all. */
  refuse: undefined as number | 'silence' | undefined,
};
beforeEach(() => {
  proxy.seen.length = 0;
  proxy.refuse = undefined;
});

/** A proxy for which every host is on this machine. */
const proxyServer = createServer((req, res) => {
  proxy.seen.push({ line: `${req.method} ${req.url}`, headers: req.headers });
  if (typeof proxy.refuse === 'number') {
    res.writeHead(proxy.refuse).end('words of the proxy');
    return;
  }
  const { port, pathname, search } = new URL(req.url ?? '');
  const { 'proxy-authorization': _own, ...headers } = req.headers;
  const onward = httpRequest(
    { host: '127.0.0.1', port, path: pathname + search, method: req.method, headers },
    (answer) => {
      res.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(res);
    },
  );
  req.pipe(onward);
});
proxyServer.on('connect', (req: IncomingMessage, socket: Socket) => {
  proxy.seen.push({ line: `CONNECT ${req.url}`, headers: req.headers });
  if (proxy.refuse === 'silence') {
    return;
  }
  if (proxy.refuse !== undefined) {
    socket.end(`HTTP/1.1 ${proxy.refuse} No\r\nContent-Length: 4\r\n\r\nnope`);
    return;
  }
  const onward = connect(Number(new URL(`http://${req.url}`).port), '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(onward).pipe(socket);
  });
  onward.on('error', () => socket.destroy());
});
const proxyPort = await listen(proxyServer);
const upgrades: string[] = [];
const api = createServer((req, res) => res.end(`${req.headers.host}${req.url}`));
api.on('upgrade', (req: IncomingMessage, socket: Socket) => {
  upgrades.push(`${req.url} of ${req.headers.host}`);
  agree(req, socket);
});
const apiPort = await listen(api);

interface Way {
  readonly baseUrl: string;
  readonly proxy?: string;
  readonly tls?: TlsSettings;
  readonly connect?: number;
}

async function ask({ connect: connectTimeout = 5_000, ...way }: Way, path = '/orders?x=1'): Promise<string> {
  const downstream = new Downstream(
    'api',
    {
      proxy: `http://127.0.0.1:${proxyPort}`,
      ...way,
      timeout: { connect: connectTimeout, response: 9_000, idle: 9_000 },
      connections: { maxAge: 60_000 },
      headLimit: 16_384,
    },
    Date.now,
  );
  try {
    const { statusCode, body } = await Dispatcher.prototype.request.call(downstream.pool, {
      method: 'GET',
      path: `${downstream.basePath}${path}`,
      headers: [...downstream.proxyHeaders],
    });
    return `${statusCode} ${await body.text()}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    await downstream.destroy();
  }
}

describe('an http downstream behind a proxy', () => {
  it('is asked for by its whole address (RFC 9112 §3.2.2)', async () => {
    const host = `api.internal.example:${apiPort}`;
    expect(await ask({ baseUrl: `http://${host}/base` })).toBe(`200 ${host}/base/orders?x=1`);
    expect(proxy.seen.map(({ line }) => line)).toEqual([`GET http://${host}/base/orders?x=1`]);
    expect(proxy.seen[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('has the proxy told who we are', async () => {
    await ask({
      baseUrl: `http://api.internal.example:${apiPort}`,
      proxy: `http://us%40er:p%3Ass@127.0.0.1:${proxyPort}`,
    });
    const given = String(proxy.seen[0]?.headers['proxy-authorization']);
    expect(Buffer.from(given.replace('Basic ', ''), 'base64').toString()).toBe('us@er:p:ss');
  });

  it('cannot be reached when the proxy cannot', async () => {
    expect(await ask({ baseUrl: 'http://api.internal.example', proxy: 'http://127.0.0.1:1' })).toBe(
      'proxy: ECONNREFUSED',
    );
  });
});

/** The answer to a caller that waits. */
function makeResponse(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

describe('a call of the gateway through a proxy', () => {
  const baseUrl = `http://api.internal.example:${apiPort}`;

  function makeDownstream(): Downstream {
    const settings = { timeout: { connect: 5_000, response: 9_000, idle: 9_000 }, connections: { maxAge: undefined } };
    return new Downstream(
      'api',
      { baseUrl, proxy: `http://127.0.0.1:${proxyPort}`, headLimit: 16_384, ...settings },
      Date.now,
    );
  }

  function makeCall(downstream: Downstream): DownstreamCall {
    return {
      downstream,
      method: 'GET',
      path: '/live',
      query: '?a=b',
      headers: [...ASK],
      body: NO_BODY,
      onHead: () => {},
    };
  }

  const ASK = ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version', '13'];
  it.each(['forward', 'openWebSocket'])(
    'is the downstream’s failure when the proxy wants a password: %s',
    async (how) => {
      proxy.refuse = 407;
      const downstream = makeDownstream();
      const send = how === 'forward' ? forward : openWebSocket;
      const failure: unknown = await Promise.resolve(send(makeResponse(), makeCall(downstream))).catch(
        (error: unknown) => error,
      );
      await downstream.destroy();
      expect(failure).toMatchObject({ code: 'downstream_unreachable', facts: { log: { reason: 'proxy: 407' } } });
    },
  );

  it('is a tunnel for a WebSocket, because a proxy for http would not understand it', async () => {
    const downstream = makeDownstream();
    const answer = await openWebSocket(makeResponse(), makeCall(downstream));
    answer.discard();
    await downstream.destroy();
    expect(answer.status).toBe(101);
    expect(proxy.seen.map(({ line }) => line)).toEqual([`CONNECT api.internal.example:${apiPort}`]);
    expect(upgrades).toEqual([`/live?a=b of api.internal.example:${apiPort}`]);
  });
});

const made = makeAuthority(folder, 'ours');

(made ? describe : describe.skip)('an https downstream behind a proxy (certificate made with openssl)', () => {
  const authority = made as CertificateAuthority;
  const name = 'api.internal.example';
  let baseUrl = '';
  const tls = { ca: authority?.ca };

  beforeEach(async () => {
    baseUrl ||= `https://${name}:${await listen(
      createHttpsServer(readCertificate(authority.issue(name)), (req, res) => res.end(`secret of ${req.headers.host}`)),
    )}`;
  });

  it('is reached through a tunnel, with its own certificate checked', async () => {
    expect(await ask({ baseUrl, tls })).toBe(`200 secret of ${new URL(baseUrl).host}`);
    expect(proxy.seen.map(({ line }) => line)).toEqual([`CONNECT ${new URL(baseUrl).host}`]);
    expect(await ask({ baseUrl })).toMatch(/UNABLE_TO/);
    expect(await ask({ baseUrl: baseUrl.replace(name, 'other.example'), tls })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('has the proxy told who we are, and nothing of the request', async () => {
    await ask({ baseUrl, tls, proxy: `http://user:pass@127.0.0.1:${proxyPort}` });
    expect(proxy.seen[0]?.headers).toEqual({
      host: new URL(baseUrl).host,
      connection: 'keep-alive',
      'proxy-connection': 'keep-alive',
      'proxy-authorization': `Basic ${Buffer.from('user:pass').toString('base64')}`,
    });
  });

  it.each([407, 403, 502])('cannot be reached when the proxy answers %d', async (status) => {
    proxy.refuse = status;
    expect(await ask({ baseUrl, tls })).toBe(`proxy: ${status}`);
  });

  it('is given up in time when the proxy says nothing', async () => {
    proxy.refuse = 'silence';
    expect(await ask({ baseUrl, tls, connect: 300 })).toBe('UND_ERR_CONNECT_TIMEOUT');
  });

  it('cannot be reached when the proxy cannot', async () => {
    expect(await ask({ baseUrl, tls, proxy: 'http://127.0.0.1:1' })).toBe('proxy: ECONNREFUSED');
  });
});

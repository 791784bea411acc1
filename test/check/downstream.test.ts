import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { rowOf, startCheckWorld } from './check-world.ts';
import { makeCertificate } from './make-certificate.ts';
import { runMain } from './run-main.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

const CHECK = 'downstream graph: reachable';

function withBaseUrl(baseUrl: string) {
  return { downstreams: { graph: { baseUrl, scopes: ['https://graph.microsoft.com/User.Read'] } } };
}

async function checkDownstream(baseUrl: string, deadlineMs = 5_000) {
  return rowOf(await world.rowsOf(withBaseUrl(baseUrl), { deadlineMs }), CHECK);
}

describe('a downstream', () => {
  it.each([200, 401, 404, 503])('is reachable when it answers %d', async (status) => {
    const api = await listenOnLoopback({}, () => (_req, res) => res.writeHead(status).end());
    const row = await checkDownstream(api.origin);
    await api.close();
    expect(row).toEqual({ status: 'ok', check: CHECK, found: `${api.origin} answers (status ${status})` });
  });

  it('is asked under its base path, without a token', async () => {
    const seen: unknown[] = [];
    const api = await listenOnLoopback({}, () => (req, res) => {
      seen.push([req.method, req.url, req.headers.authorization]);
      res.end();
    });
    await checkDownstream(`${api.origin}/v1.0/`);
    await api.close();
    expect(seen).toEqual([['GET', '/v1.0', undefined]]);
  });

  it.each([
    ['http://127.0.0.1:1', 'ECONNREFUSED', 'nothing listens'],
    ['http://no-such-host.invalid', '(ENOTFOUND|EAI_AGAIN)', 'cannot be resolved'],
  ])('at %s fails with %s', async (baseUrl, code, reason) => {
    expect(await checkDownstream(baseUrl)).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(new RegExp(`cannot be reached \\(${code}\\)$`)),
      reason: expect.stringContaining(reason),
      key: 'downstreams.graph.baseUrl',
    });
  });

  it.each([
    ['says nothing', () => {}, 'deadline exceeded'],
    ['hangs up', (socket: Socket) => socket.destroy(), '(UND_ERR_SOCKET|ECONNRESET)'],
    ['does not speak HTTP', (socket: Socket) => socket.end('SSH-2.0-OpenSSH\r\n\r\n'), 'not HTTP'],
  ])('that %s fails', async (_what, greet, code) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      greet(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const row = await checkDownstream(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1_000);
    server.close();
    expect(row).toMatchObject({ status: 'fail', found: expect.stringMatching(new RegExp(code)) });
  });
});

it.each([
  ['http://api.invalid', 'http://127.0.0.1:1', 'proxy: ECONNREFUSED', 'refuses, or cannot be reached'],
  ['https://api.invalid', 'http://127.0.0.1:1', 'proxy: ECONNREFUSED', 'refuses, or cannot be reached'],
])('a downstream %s behind a proxy that is not there fails with its name', async (baseUrl, proxy, code, reason) => {
  const graph = { baseUrl, proxy, scopes: ['https://graph.microsoft.com/User.Read'] };
  expect(rowOf(await world.rowsOf({ downstreams: { graph } }), CHECK)).toMatchObject({
    status: 'fail',
    found: expect.stringContaining(code),
    reason: expect.stringContaining(reason),
    key: 'downstreams.graph.proxy',
  });
});

describe('http to a downstream', () => {
  const transport = 'downstream graph: transport';

  it('is fine on this machine', async () => {
    expect(rowOf(await world.rowsOf(), transport)).toBeUndefined();
  });

  it('is warned of to any other host', async () => {
    const rows = await world.rowsOf(withBaseUrl('http://no-such-host.invalid'));
    expect(rowOf(rows, transport)).toMatchObject({
      status: 'warn',
      found: 'http to no-such-host.invalid',
      reason: expect.stringContaining('in clear'),
    });
  });
});

const files = { cert: world.pathOf('tls.pem'), key: world.pathOf('tls.key') };
const hasOpenssl = makeCertificate(files, 1);

async function startHttps(): Promise<{ readonly server: Server; readonly origin: string }> {
  const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)]);
  const server = createHttpsServer({ cert, key }, (_req, res) => res.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, origin: `https://localhost:${(server.address() as AddressInfo).port}` };
}

(hasOpenssl ? describe : describe.skip)('https with a certificate of its own (made with openssl)', () => {
  it('is not trusted, and the remedy is named', async () => {
    const { server, origin } = await startHttps();
    const row = await checkDownstream(origin);
    server.close();
    expect(row).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
      remedy: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  it('is trusted once the remedy is applied', async () => {
    const { server, origin } = await startHttps();
    const file = await world.writeConfig(withBaseUrl(origin));
    const out = await runMain(['check', '--config', file], { NODE_EXTRA_CA_CERTS: files.cert });
    server.close();
    expect(out).toContain(`${origin} answers (status 200)`);
  }, 30_000);

  it('is trusted when gateway.yaml names it', async () => {
    const { server, origin } = await startHttps();
    const graph = { baseUrl: origin, tls: { ca: files.cert }, scopes: ['https://graph.microsoft.com/User.Read'] };
    const row = rowOf(await world.rowsOf({ downstreams: { graph } }), CHECK);
    server.close();
    expect(row).toMatchObject({ status: 'ok' });
  });

  it('is no http', async () => {
    const { server, origin } = await startHttps();
    const row = await checkDownstream(origin.replace('https', 'http'));
    server.close();
    expect(row).toMatchObject({ status: 'fail', remedy: expect.stringContaining('http or https') });
  });
});

import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createNetServer, type AddressInfo, type Server as NetServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { whyNotHealthy } from '../../src/command/healthcheck.ts';

const folder = await mkdtemp(join(tmpdir(), 'healthcheck-'));
afterAll(() => rm(folder, { recursive: true }));

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

/** A management listener that gives this answer to the readiness probe. */
async function listen(host: string, status: number, body: string): Promise<Server> {
  const server = createServer((req, res) => {
    res.writeHead(req.url === '/readyz' ? status : 404).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  return server;
}

async function check(host: string, server: NetServer): Promise<string | undefined> {
  const file = join(folder, 'gateway.yaml');
  const { port } = server.address() as AddressInfo;
  await writeFile(file, `server:\n  management: { host: "${host}", port: ${port} }\n`);
  const trouble = await whyNotHealthy(file, {});
  server.close();
  return trouble;
}

describe('a gateway that is ready is found', () => {
  it.each(['127.0.0.1', '0.0.0.0', 'localhost', ...(hasIPv6 ? ['::1', '::'] : [])])('at the host %s', async (host) => {
    expect(await check(host, await listen(host, 200, '{"status":"ok"}'))).toBeUndefined();
  });
});

describe('a gateway that is not', () => {
  it('has its reason shown, and not more than a screen of it', async () => {
    const trouble = await check(
      '127.0.0.1',
      await listen('127.0.0.1', 503, `{"reason":"draining"}${'x'.repeat(5_000)}`),
    );
    expect(trouble).toMatch(/^the gateway is not ready: \{"reason":"draining"\}x+$/);
    expect(trouble?.length).toBeLessThan(1_100);
  });

  it('is not one that redirects', async () => {
    expect(await check('127.0.0.1', await listen('127.0.0.1', 302, 'elsewhere'))).toBe(
      'the gateway is not ready: elsewhere',
    );
  });

  it('may be another program that speaks no HTTP', async () => {
    const server = createNetServer((socket) => socket.on('error', () => {}).end('220 mail.contoso.com ESMTP\r\n'));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    expect(await check('127.0.0.1', server)).toMatch(/: what answers there is not a gateway$/);
  });

  it('may be one that never answers: it is given up', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    expect(await check('127.0.0.1', server)).toMatch(
      /does not answer on server\.management\.port \d+: no answer within 2 s$/,
    );
    server.closeAllConnections();
  });
});

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { describeWith } from '../support/installed-program.ts';
import { RawConnection, type RawTarget } from '../support/raw-request.ts';
import { makeTestAuthority, selfSigned } from '../support/token-certificate.ts';

// Debian has haproxy where not everyone's shell looks.
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
const isInstalled = spawnSync('haproxy', ['-v'], { env }).status === 0;

async function statusOf(target: RawTarget): Promise<number | undefined> {
  const connection = new RawConnection(target).send('GET /open HTTP/1.1', 'Host: x', 'Connection: close');
  await connection.untilClosed();
  connection.close();
  return Number(connection.received.split(' ')[1]);
}

describeWith('haproxy', isInstalled, 'HAProxy in front', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const started: ChildProcess[] = [];
  const worlds: GatewayWorld[] = [];
  afterAll(async () => {
    for (const process of started) {
      process.kill('SIGKILL');
      await once(process, 'close');
    }
    for (const world of worlds) {
      await world.close();
    }
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => worlds.forEach(({ downstream }) => downstream.reset()));

  async function keep(world: GatewayWorld): Promise<GatewayWorld> {
    worlds.unshift(world);
    return world;
  }

  /**
   * Starts it before a gateway, and waits until its health checks let it hand connections on. A gateway that is well gets
   * seconds for each: on a busy machine it must not count as down.
   */
  async function startFront(
    mode: 'http' | 'tcp',
    serverLine: string,
    healthy: (to: RawTarget) => Promise<boolean>,
    ca?: string,
  ) {
    const port = await findFreePort();
    const file = join(folder, `${port}.cfg`);
    const times = ['client 30s', 'server 30s', 'connect 5s'].map((time) => `  timeout ${time}`).join('\n');
    writeFileSync(
      file,
      `defaults\n  mode ${mode}\n${times}\nlisten front\n  bind 127.0.0.1:${port}\n  server gateway ${serverLine} check inter 5s fastinter 200ms downinter 200ms\n`,
    );
    started.push(spawn('haproxy', ['-db', '-f', file], { env, stdio: 'ignore' }));
    const target = { port, ca };
    await until('it hands on', () => healthy(target));
    return target;
  }

  it.each(['TLS', 'TCP'])('as a load balancer of connections names the client of each: %s', async (listener) => {
    const server = { proxyProtocol: 'v2', trustedProxies: ['127.0.0.1'] };
    const certificate = listener === 'TLS' ? selfSigned('localhost') : undefined;
    const world = await keep(await startGatewayWorld({ server, ...(certificate && { certificate }) }));
    const line = `127.0.0.1:${world.port} send-proxy-v2`;
    const front = await startFront('tcp', line, async (to) => (await statusOf(to)) === 200, world.ca);
    for (const localAddress of ['127.0.0.5', '127.0.0.6']) {
      const connection = new RawConnection({ ...front, localAddress }).send('GET /open HTTP/1.1', 'Host: x');
      const response = await connection.response();
      connection.close();
      const { clientAddress } = await world.log.of(response.header('x-request-id') ?? null);
      expect([response.status, clientAddress]).toEqual([200, localAddress]);
    }
  });

  it('as a load balancer of requests shows its client certificate, without which nobody gets in', async () => {
    const authority = makeTestAuthority('front authority');
    const { cert, key } = authority.issue('front');
    writeFileSync(join(folder, 'front.pem'), `${cert}${key}`);
    const own = selfSigned('localhost');
    writeFileSync(join(folder, 'own.pem'), own.cert);
    writeFileSync(join(folder, 'own.key'), own.key);
    writeFileSync(join(folder, 'authority.pem'), authority.ca);
    const tls = {
      cert: join(folder, 'own.pem'),
      key: join(folder, 'own.key'),
      clientCa: join(folder, 'authority.pem'),
    };
    const world = await keep(await startGatewayWorld({ server: { tls } }));
    const verified = `verify required ca-file ${join(folder, 'own.pem')} verifyhost localhost`;
    const line = `127.0.0.1:${world.port} ssl ${verified} crt ${join(folder, 'front.pem')}`;
    const front = await startFront('http', line, async (to) => (await statusOf(to)) === 200);
    expect(await statusOf(front)).toBe(200);
    const stranger = new RawConnection({ port: world.port, ca: own.cert }).send('GET /open HTTP/1.1', 'Host: x');
    await stranger.untilClosed();
    expect(stranger.received).toBe('');
  });
});

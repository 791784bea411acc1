import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.ts';
import { createGateway } from '../../src/gateway.ts';
import { ListenError } from '../../src/http/listen-error.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { scope } from '../support/gateway-contract.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';
import { startReloadWorld } from '../support/reload-world.ts';
import { makeAuthority, readCertificate } from '../support/tls-certificates.ts';
import { ask, bearer, contract, unplaced } from './engine.ts';

const ME = { method: 'GET', target: '/me' } as const;
const SILENT = createLogger({ write: () => undefined }, 'error');
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) {
    await close();
  }
});

async function startWorld(service: object, server: object = {}): Promise<GatewayWorld> {
  const world = await startGatewayWorld({
    authorizationService: { port: 0, ...service },
    server,
    contract: [{ document: contract }],
    downstreams: unplaced,
  });
  closing.push(() => world.close());
  return world;
}

function portOf({ authorizationServiceUrl }: GatewayWorld): number {
  return Number(new URL(authorizationServiceUrl).port);
}

const DESCRIPTION = ['Host: engine', 'X-Original-Method: GET', 'X-Original-URI: /me'];

describe('who is served', () => {
  it('nobody outside the callers, whatever it brings, and the log says what to add', async () => {
    const tokenEndpoints = { downstreams: ['api'], security: [[scope('Profile.Read')]] };
    const world = await startWorld({ callers: ['192.0.2.0/24'], tokenEndpoints });
    const headers = [bearer(world.token('adele')), 'X-Forwarded-For: 192.0.2.1', 'X-Request-Id: foreign-1'];
    const before = world.emulator.exchanges.length;
    for (const dialect of ['nginx', 'forward-auth', 'envoy', 'nginx, for the refusal'] as const) {
      const answer = await ask(world, dialect, { ...ME, headers });
      expect([answer.status, answer.header('authorization')]).toEqual([403, undefined]);
    }
    const paths = ['/AuthorizationHeader/api', '/Validate', '/api/v1/token/exchange', '/api/v1/introspect', '/nowhere'];
    for (const path of paths) {
      const answer = await rawRequest(portOf(world), [`GET ${path} HTTP/1.1`, 'Host: a', ...headers]);
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(world.emulator.exchanges).toHaveLength(before);
    const line = await world.log.of('foreign-1');
    // No token was looked at, so that none was refused.
    expect(line).not.toHaveProperty('event');
    expect(line).toMatchObject({
      code: 'access_denied',
      reason: '127.0.0.1 is not in authorizationService.callers',
      remedy: expect.any(String),
    });
  });

  it('nobody while the gateway is full: nginx hears of a refusal, the others the whole of it', async () => {
    const world = await startWorld({}, { maxInFlight: 1 });
    world.downstream.answer = () => undefined;
    const busy = new RawConnection(world.port).send('GET /open HTTP/1.1', 'Host: x');
    await until('one is under way', () => world.downstream.requests.length === 1);
    const headers = [bearer(world.token('adele'))];
    const answers = [
      await ask(world, 'nginx', { ...ME, headers }),
      await ask(world, 'forward-auth', { ...ME, headers }),
    ];
    expect(answers.map(({ status, header }) => [status, header('retry-after')])).toEqual([
      [401, undefined],
      [503, '1'],
    ]);
    busy.close();
  });
});

describe('the connections of engines', () => {
  it('are limited apart from those of callers', async () => {
    const world = await startWorld({}, { maxConnections: 1 });
    const caller = new RawConnection(world.port).send('GET /nowhere HTTP/1.1', 'Host: x');
    await caller.response();
    const engine = new RawConnection(portOf(world)).send('GET /check/nginx HTTP/1.1', ...DESCRIPTION);
    expect((await engine.response()).status).toBe(401);
    const second = new RawConnection(portOf(world)).send('GET /check/nginx HTTP/1.1', ...DESCRIPTION);
    await second.untilClosed();
    expect(second.received).toBe('');
    [caller, engine, second].forEach((connection) => connection.close());
  });

  it('are kept, and are served to the end while the gateway stops', async () => {
    const world = await startWorld({}, { drainDelay: '3s' });
    const engine = new RawConnection(portOf(world));
    const check = (): Promise<{ status: number; header: (name: string) => string | undefined }> =>
      engine.send('GET /check/nginx HTTP/1.1', ...DESCRIPTION, bearer(world.token('adele'))).response();
    expect([(await check()).status, (await check()).header('connection')]).toEqual([200, 'keep-alive']);
    const stopped = world.gateway.stop();
    const last = await check();
    expect([last.status, last.header('connection')]).toEqual([200, 'close']);
    const another = new RawConnection(portOf(world)).send('GET /check/nginx HTTP/1.1', ...DESCRIPTION);
    expect((await another.response()).status).toBe(401);
    [engine, another].forEach((connection) => connection.close());
    await stopped;
    const late = new RawConnection(portOf(world));
    await late.untilClosed();
  });
});

describe('TLS with engines', () => {
  it('is that of authorizationService.tls, and with clientCa only engines with a certificate connect', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-tls-'));
    closing.push(() => rm(folder, { recursive: true }));
    const authority = makeAuthority(folder, 'engines');
    if (authority === undefined) {
      return;
    }
    const own = authority.issue('localhost');
    const open = await startWorld({ tls: own });
    expect(open.authorizationServiceUrl).toMatch(/^https:/);
    const ca = readCertificate({ cert: authority.ca, key: own.key }).cert;
    const target = { port: portOf(open), ca };
    expect((await rawRequest(target, ['GET /check/nginx HTTP/1.1', ...DESCRIPTION])).status).toBe(401);
    const closed = await startWorld({ tls: { ...own, clientCa: authority.ca } });
    const stranger = new RawConnection({ port: portOf(closed), ca }).send('GET /check/nginx HTTP/1.1', ...DESCRIPTION);
    await stranger.untilClosed();
    expect(stranger.received).toBe('');
    const [told] = closed.log.lines.filter(({ msg }) => msg === 'connections are refused');
    expect(told).toMatchObject({ listener: 'authorizationService', reason: expect.stringContaining('clientCa') });
  });
});

describe('a reload', () => {
  it('has the service judge by the new contract, on the port that it has', async () => {
    const files = await startReloadWorld();
    closing.push(() => files.close());
    const withService = (paths: object): Promise<void> =>
      files.write({ paths: paths as Record<string, object>, authorizationService: { port: 0 } });
    await withService({});
    const gateway = createGateway(await loadConfig(files.file, files.env), { logger: SILENT });
    closing.push(() => gateway.stop());
    const { authorizationServiceUrl = '' } = await gateway.start();
    const statusOf = async (uri: string): Promise<number> =>
      (
        await fetch(`${authorizationServiceUrl}/check/forward-auth`, {
          headers: { 'x-forwarded-method': 'GET', 'x-forwarded-uri': uri },
        })
      ).status;
    expect([await statusOf('/new'), await statusOf('/open')]).toEqual([404, 200]);
    const open = {
      get: { security: [], 'x-downstream': { service: 'api' }, responses: { default: { description: 'Any.' } } },
    };
    await withService({ '/new': open, '/open': undefined as unknown as object });
    const meanwhile = Array.from({ length: 100 }, async (_, turn) => {
      await setTimeout(turn % 10);
      return statusOf('/open');
    });
    await gateway.reload(async () => ({ config: await loadConfig(files.file, files.env), needRestart: [] }));
    // Each was judged by one contract or by the other.
    expect((await Promise.all(meanwhile)).filter((status) => status !== 200 && status !== 404)).toEqual([]);
    expect([await statusOf('/new'), await statusOf('/open')]).toEqual([200, 404]);
  });
});

describe('a port that is taken', () => {
  it('is named', async () => {
    const files = await startReloadWorld();
    closing.push(() => files.close());
    await files.write({ authorizationService: { port: files.old.port } });
    const gateway = createGateway(await loadConfig(files.file, files.env), { logger: SILENT });
    closing.push(() => gateway.stop());
    const failure = await gateway.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ListenError);
    expect(failure).toMatchObject({
      message: `authorizationService.port ${files.old.port} on 127.0.0.1 is taken by another program`,
    });
  });
});

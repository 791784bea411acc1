import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

const OFFLINE = { offline: true, only: new Set(['config', 'ports'] as const) };
const ONLINE = { only: new Set(['ports'] as const) };

describe('the callers of the authorization service', () => {
  it.each([
    ['127.0.0.1', undefined, 'ok', 'tokens for the downstreams are handed out to 127.0.0.0/8, ::1'],
    [
      '0.0.0.0',
      ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
      'ok',
      'tokens for the downstreams are handed out to 10.0.0.0/8, fd00::/8, 192.0.2.1',
    ],
    ['0.0.0.0', ['0.0.0.0/0'], 'warn', '0.0.0.0/0'],
    ['0.0.0.0', ['::/0', '10.0.0.1'], 'warn', '::/0'],
    ['127.0.0.1', ['0.0.0.0/1', '128.0.0.0/1'], 'warn', '0.0.0.0/1, 128.0.0.0/1'],
  ])('on %s, %j: %s', async (host, callers, status, found) => {
    const rows = await world.rowsOf({ authorizationService: { host, port: 0, callers } }, OFFLINE);
    expect(rowOf(rows, 'authorization service: callers')).toMatchObject({
      status,
      found,
      ...(status === 'warn' && {
        key: 'authorizationService.callers',
        reason: expect.stringContaining('tokens for the downstreams are handed out'),
      }),
    });
  });

  it.each([
    ['127.0.0.1', 'ok'],
    ['10.1.2.3', 'warn'],
  ])('reach it over http on %s: %s', async (host, status) => {
    const rows = await world.rowsOf({ authorizationService: { host, port: 0, callers: ['10.0.0.0/8'] } }, OFFLINE);
    expect(rowOf(rows, 'authorization service: transport')).toMatchObject({ status });
  });

  it('are no matter without the service', async () => {
    const rows = await world.rowsOf({}, OFFLINE);
    expect(rows.filter(({ check }) => check.startsWith('authorization'))).toEqual([]);
  });
});

const DIALECTS = ['nginx', 'nginx, for the refusal', 'forward-auth', 'envoy'];

describe('the port of the authorization service', () => {
  it('may be any', async () => {
    const rows = await world.rowsOf({ authorizationService: { port: 0 } }, ONLINE);
    expect(rowOf(rows, 'authorizationService.port')).toMatchObject({ status: 'ok' });
    expect(rows.filter(({ check }) => check.startsWith('authorization service'))).toEqual([]);
  });

  it('is tried out in each dialect where the service runs already', async () => {
    const running = await startGatewayWorld({ authorizationService: { port: 0 } });
    const port = Number(new URL(running.authorizationServiceUrl).port);
    const rows = await world.rowsOf({ authorizationService: { port } }, ONLINE);
    await running.close();
    expect(DIALECTS.map((dialect) => rowOf(rows, `authorization service: ${dialect}`))).toMatchObject([
      { status: 'ok', found: 'a call without a token is refused (status 401)' },
      { status: 'ok', found: 'a call without a token is refused (status 404)' },
      { status: 'ok', found: 'a call without a token is refused (status 404)' },
      { status: 'ok', found: 'a call without a token is refused (status 404)' },
    ]);
  });

  it('is told where something else runs there', async () => {
    const other = createServer((_req, res) => res.end('hello')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const rows = await world.rowsOf({ authorizationService: { port } }, ONLINE);
    other.close();
    expect(DIALECTS.map((dialect) => rowOf(rows, `authorization service: ${dialect}`))).toMatchObject(
      DIALECTS.map(() => ({ status: 'fail', key: 'authorizationService.port' })),
    );
  });
});

describe('a downstream that only engines call', () => {
  it('is not tried', async () => {
    const changes = {
      authorizationService: { port: 0 },
      downstreams: { graph: { scopes: ['https://graph.microsoft.com/User.Read'] } },
    };
    const rows = await world.rowsOf(changes, { only: new Set(['downstreams'] as const) });
    expect(rowOf(rows, 'downstream graph: reachable')).toMatchObject({
      status: 'ok',
      found: 'not tried: without baseUrl only engines call it',
    });
  });
});

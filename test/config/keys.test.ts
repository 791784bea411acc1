import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CLIENT, makeConfigFolder, SHORTEST, TENANT, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

/** The value at a path of keys such as `server.port`. */
function valueAt(config: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config);
}

describe('the shortest gateway.yaml', () => {
  it('gets a default for every other key', async () => {
    const { contract, ...settings } = await folder.load(SHORTEST, undefined, {
      bytes: 128 * 1_024 ** 2,
      setBy: 'cgroup',
    });
    expect([contract.title, settings]).toEqual([
      'One operation',
      {
        server: {
          host: '0.0.0.0',
          port: 8080,
          trustedProxies: [],
          cors: { origins: [], exposedHeaders: [] },
          bodyLimit: 10 * 1_024 * 1_024,
          headLimit: 16 * 1_024,
          keepAlive: 65_000,
          maxConnections: 20_000,
          maxInFlight: 10_000,
          docs: false,
          drainDelay: 5_000,
          drainTimeout: 30_000,
          workers: 1,
          management: { host: '127.0.0.1', port: 9090 },
        },
        identity: {
          authority: 'https://login.microsoftonline.com',
          tenant: TENANT,
          allowedTenants: [],
          clientId: CLIENT,
          audiences: [CLIENT, `api://${CLIENT}`],
          allowedClients: [],
          requireClientCapability: false,
          boundTokens: 'accept',
          clockTolerance: 60_000,
          credential: { secret: 'hunter2' },
        },
        downstreams: {
          graph: {
            baseUrl: 'https://graph.microsoft.com',
            scopes: ['https://graph.microsoft.com/User.Read'],
            applicationScope: 'https://graph.microsoft.com/.default',
            timeout: { connect: 2_000, response: 30_000, idle: 60_000 },
            headers: { set: {}, pass: [] },
            query: {},
            connections: { maxAge: 60_000 },
            headLimit: 64 * 1_024,
          },
        },
        tokenCache: { maxSessions: 8_947 },
        memory: {
          bytes: 134_217_728,
          setBy: 'cgroup',
          processBytes: 134_217_728,
          fittingSessions: 8_947,
          maxSessions: 8_947,
          bodyRoomBytes: 16_777_216,
        },
        log: { level: 'info', requests: 'all', whenBlocked: 'drop' },
      },
    ]);
  });
});

describe('a key that is given', () => {
  it.each<[string, unknown, unknown]>([
    ['server.host', '::1', '::1'],
    ['server.port', 0, 0],
    ['server.port', 65_535, 65_535],
    ['server.publicUrl', 'https://api.contoso.com', 'https://api.contoso.com'],
    ['server.publicUrl', 'https://contoso.com/api/', 'https://contoso.com/api'],
    ['server.trustedProxies', ['10.0.0.0/8', '::1/128', '192.0.2.1'], ['10.0.0.0/8', '::1/128', '192.0.2.1']],
    [
      'server.cors.origins',
      ['https://a.example', 'http://localhost:3000'],
      ['https://a.example', 'http://localhost:3000'],
    ],
    [
      'server.cors.origins',
      ['capacitor://localhost', 'ionic://localhost'],
      ['capacitor://localhost', 'ionic://localhost'],
    ],
    ['server.cors.exposedHeaders', ['X-Total'], ['X-Total']],
    ['server.headLimit', '32kb', 32_768],
    ['server.keepAlive', '5s', 5_000],
    ['server.maxConnections', 10, 10],
    ['server.maxInFlight', 10, 10],
    ['identity.boundTokens', 'refuse', 'refuse'],
    ['downstreams.graph.timeout.idle', 'none', undefined],
    ['downstreams.graph.timeout.idle', '1s', 1_000],
    ['downstreams.graph.headers.set', { 'x-api-key': 'k' }, { 'x-api-key': 'k' }],
    ['downstreams.graph.headers.pass', ['X-Original-URL'], ['X-Original-URL']],
    ['downstreams.graph.query', { 'api-version': '2024-11-04' }, { 'api-version': '2024-11-04' }],
    ['downstreams.graph.connections.maxAge', '5m', 300_000],
    ['downstreams.graph.headLimit', '8kb', 8_192],
    ['log.whenBlocked', 'wait', 'wait'],
    ['log.level', 'error', 'error'],
    ['log.requests', 'errors', 'errors'],
    ['log.requests', 0.01, 0.01],
    ['log.requests', 0, 0],
    ['log.requests', '0.5', 0.5],
    ['log.requests', '.5', 0.5],
    ['log.audit', 'stderr', 'stderr'],
    ['log.audit', './audit.log', join(folder.path, 'audit.log')],
    ['server.workers', 4, 4],
    ['server.workers', 'auto', 'auto'],
    ['server.management.host', '0.0.0.0', '0.0.0.0'],
    ['server.management.port', 1, 1],
    ['identity.authority', 'https://contoso.ciamlogin.com/', 'https://contoso.ciamlogin.com'],
    ['identity.authority', 'https://login.microsoftonline.us', 'https://login.microsoftonline.us'],
    ['identity.tenant', TENANT.toUpperCase(), TENANT],
    ['identity.audiences', ['api://orders'], ['api://orders']],
    ['identity.allowedClients', [CLIENT.toUpperCase()], [CLIENT]],
    ['identity.consentRedirectUri', 'https://a.example/consented', 'https://a.example/consented'],
    ['downstreams.graph.baseUrl', 'http://graph.internal:8080/v1/', 'http://graph.internal:8080/v1'],
    ['tokenCache.maxSessions', 1, 1],
  ])('%s: %j is read', async (path, written, read) => {
    const config = await folder.load(withKeys({ [path]: written }));
    expect(valueAt(config, path)).toEqual(read);
  });
});

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['0s', 0],
  ])('of %s is %d milliseconds', async (written, milliseconds) => {
    const keys = ['server.drainTimeout', 'server.drainDelay', 'identity.clockTolerance'];
    const config = await folder.load(withKeys(Object.fromEntries(keys.map((key) => [key, written]))));
    expect(keys.map((key) => valueAt(config, key))).toEqual(keys.map(() => milliseconds));
  });

  it.each(['server.drainTimeout', 'downstreams.graph.timeout.response'])(
    'in %s must fit the timers of Node, which take a longer one for 1 ms',
    async (key) => {
      const faults = await folder.faultsOf(withKeys({ [key]: '1000h' }));
      expect(faults.map(({ at }) => at)).toEqual([key]);
    },
  );
});

describe('a size', () => {
  it.each([
    ['512b', 512],
    ['64kb', 65_536],
    ['64KB', 65_536],
    ['10mb', 10_485_760],
    ['2gb', 2_147_483_648],
  ])('of %s is %d bytes', async (written, bytes) => {
    expect((await folder.load(withKeys({ 'server.bodyLimit': written }))).server.bodyLimit).toBe(bytes);
  });
});

describe('an address', () => {
  it.each([
    { key: 'server.publicUrl', address: 'https://api.contoso.com\n' },
    { key: 'server.publicUrl', address: ' https://api.contoso.com' },
    { key: 'server.publicUrl', address: String.raw`https://api.contoso.com\orders` },
    { key: 'server.publicUrl', address: 'https://api.contoso.com?' },
    { key: 'server.publicUrl', address: 'https://api.contoso.com#' },
    { key: 'server.publicUrl', address: 'https://例え.jp' },
    { key: 'server.publicUrl', address: 'https:api.contoso.com' },
    { key: 'identity.authority', address: 'https://login.microsoftonline.com/.' },
    { key: 'identity.authority', address: 'https://LOGIN.microsoftonline.com' },
    { key: 'downstreams.graph.baseUrl', address: 'https://graph.microsoft.com/v1.0?' },
  ])('such as $address in $key is refused, or read as browsers read it', async ({ key, address }) => {
    const outcome = await folder.load(withKeys({ [key]: address })).then(
      (config) => valueAt(config, key),
      (error: unknown) => String(error).slice(0, `ConfigError: ${key}`.length),
    );
    const { origin, pathname } = new URL(address);
    expect([`ConfigError: ${key}`, `${origin}${pathname}`.replace(/\/+$/, '')]).toContain(outcome);
  });
});

import { afterAll, describe, expect, it } from '@jest/globals';
import { CONTRACT, linesOf, makeConfigFolder, TENANT, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const NUMBER = (range: string): string => `a whole number from ${range}`;
const DURATION = 'a duration such as 500ms, 30s or 5m';
const TIME_LIMIT = `${DURATION}, not zero, or 'none'`;
const SIZE = 'a size such as 64kb, 10mb or 2gb';
const ADDRESS = 'an http or https address without query';
const AUTHORITY =
  'the https address of an Entra cloud without a path, such as https://login.microsoftonline.com (http only for a loopback host)';
const TENANTS = "a tenant id (a GUID), or 'organizations' with allowedTenants";
const AGENT = 'the client id of an agent identity (a GUID)';
const ONE_RESOURCE = "scopes of one resource only; '{resource}/.default' stands alone";
const CIDR = 'an IP address or a CIDR such as 10.0.0.0/8';
const CONTRACT_PATH = 'the path of the OpenAPI document, or a list of documents';
const WORKERS = "a whole number from 1 to 256, or 'auto'";
const SHARE = "'all', 'errors' or a share from 0 to 1, such as 0.01";
const ORIGIN = 'an exact origin such as https://app.contoso.com, without a path';

describe('a wrong value', () => {
  it.each<[key: string, written: unknown, found: string, allowed: string]>([
    ['contract', undefined, 'nothing', CONTRACT_PATH],
    ['contract', 5, '5', CONTRACT_PATH],
    ['contract', '', '""', 'the path of the OpenAPI document'],
    ['server', [], 'a list of 0', 'a map of keys'],
    ['server.host', '', '""', 'a host name or address to listen on'],
    ['server.port', 65_536, '65536', NUMBER('0 to 65535')],
    ['server.port', -1, '-1', NUMBER('0 to 65535')],
    ['server.port', 80.5, '80.5', NUMBER('0 to 65535')],
    ['server.port', 'http', '"http"', NUMBER('0 to 65535')],
    ['server.port', '0x50', '"0x50"', NUMBER('0 to 65535')],
    ['server.publicUrl', 'api.contoso.com', '"api.contoso.com"', ADDRESS],
    ['server.publicUrl', 'ftp://a.example', '"ftp://a.example"', ADDRESS],
    ['server.publicUrl', 'https://a.example/?b', '"https://a.example/?b"', ADDRESS],
    ['server.publicUrl', 'https://a.example/b,c', '"https://a.example/b,c"', ADDRESS],
    ['server.trustedProxies', '10.0.0.0/8', '"10.0.0.0/8"', 'a list of CIDRs'],
    ['server.trustedProxies[0]', ['10.0.0.0/33'], '"10.0.0.0/33"', CIDR],
    ['server.trustedProxies[1]', ['::1', '::1/129'], '"::1/129"', CIDR],
    ['server.trustedProxies[0]', ['proxy.internal'], '"proxy.internal"', CIDR],
    ['server.proxyProtocol', 'v1', '"v1"', "'v2', the version of the PROXY protocol"],
    ['server.proxyProtocol', true, 'true', "'v2', the version of the PROXY protocol"],
    ['server.tls', './tls', '"./tls"', 'a map of keys'],
    ['server.cors', 'https://a.example', '"https://a.example"', 'a map of keys'],
    ['server.cors.origins', '*', '"*"', 'a list of origins'],
    ['server.cors.origins[0]', ['*'], '"*"', ORIGIN],
    ['server.cors.origins[0]', ['https://a.example/'], '"https://a.example/"', ORIGIN],
    ['server.cors.origins[0]', ['null'], '"null"', ORIGIN],
    ['server.bodyLimit', 10, '10', SIZE],
    ['server.bodyLimit', '10', '"10"', SIZE],
    ['server.bodyLimit', '1.5mb', '"1.5mb"', SIZE],
    ['server.bodyLimit', '-1mb', '"-1mb"', SIZE],
    ['server.bodyLimit', '9999999999999999gb', '"9999999999999999gb"', SIZE],
    ['downstreams.graph.timeout.response', '0s', '"0s"', TIME_LIMIT],
    ['server.headLimit', '1b', '"1b"', 'a size from 1kb to 1mb, such as 16kb'],
    ['server.maxInFlight', 0, '0', 'a whole number from 1 to 1000000'],
    ['identity.boundTokens', 'maybe', '"maybe"', "'accept' or 'refuse'"],
    ['log.level', 'loud', '"loud"', 'one of debug, info, warn, error'],
    ['log.requests', 'none', '"none"', SHARE],
    ['log.requests', 1.5, '1.5', SHARE],
    ['log.requests', -0.1, '-0.1', SHARE],
    ['log.requests', '5%', '"5%"', SHARE],
    ['log.requests', true, 'true', SHARE],
    ['log.audit', '', '""', "the path of a file, or 'stderr'"],
    ['log.whenBlocked', 'stop', '"stop"', "'drop' or 'wait'"],
    ['server.drainTimeout', 30, '30', DURATION],
    ['server.drainTimeout', '30 s', '"30 s"', DURATION],
    ['server.drainTimeout', '2d', '"2d"', DURATION],
    ['server.workers', 0, '0', WORKERS],
    ['server.workers', 1.5, '1.5', WORKERS],
    ['server.workers', 257, '257', WORKERS],
    ['server.workers', 'all', '"all"', WORKERS],
    ['server.management', 9090, '9090', 'a map of keys'],
    ['server.management.host', '', '""', 'a host name or address to listen on'],
    ['server.management.port', '', '""', NUMBER('0 to 65535')],
    ['identity', undefined, 'nothing', 'a map of keys'],
    ['identity.authority', 'login.microsoftonline.com', '"login.microsoftonline.com"', AUTHORITY],
    ['identity.authority', 'https://a.example/common', '"https://a.example/common"', AUTHORITY],
    ['identity.tenant', undefined, 'nothing', TENANTS],
    ['identity.tenant', 'contoso.com', '"contoso.com"', TENANTS],
    ['identity.tenant', 'common', '"common"', TENANTS],
    ['identity.clientId', undefined, 'nothing', 'the application (client) id of the gateway'],
    ['identity.clientId', 'a", b', String.raw`"a\", b"`, 'the application (client) id of the gateway, a GUID'],
    ['identity.audiences', 'api://a', '"api://a"', 'a list of audiences'],
    ['identity.audiences[0]', [''], '""', 'an audience'],
    ['identity.allowedClients', 'a', '"a"', 'a list of client ids'],
    ['identity.allowedClients[0]', [5], '5', 'the application (client) id of a caller'],
    ['identity.clockTolerance', '1', '"1"', DURATION],
    ['identity.consentRedirectUri', 'mailto:a@b.example', '"mailto:a@b.example"', ADDRESS],
    ['identity.credential', undefined, 'nothing', 'a map of keys'],
    ['downstreams', undefined, 'nothing', 'a map of downstream APIs by name'],
    ['downstreams', ['graph'], 'a list of 1', 'a map of downstream APIs by name'],
    ['downstreams.graph', null, 'nothing', 'a map of keys'],
    [
      'downstreams.graph.baseUrl',
      undefined,
      'nothing',
      'the http or https address of the API, or a section authorizationService where only engines call it',
    ],
    ['downstreams.graph.baseUrl', '/graph', '"/graph"', 'the http or https address of the API'],
    ['downstreams.graph.scopes', undefined, 'nothing', 'a list of scopes'],
    ['downstreams.graph.scopes', 'User.Read', '"User.Read"', 'a list of scopes'],
    ['downstreams.graph.scopes', [], 'a list of 0', 'at least one scope'],
    [
      'downstreams.graph.scopes[0]',
      ['User.Read Mail.Read'],
      '"User.Read Mail.Read"',
      'a scope without spaces, commas, quotes, = and %',
    ],
    ['downstreams.graph.scopes', ['api://a/R', 'api://b/R'], 'a list of 2', ONE_RESOURCE],
    ['downstreams.graph.scopes', ['api://a/.default', 'api://a/R'], 'a list of 2', ONE_RESOURCE],
    ['downstreams.graph.agent', 'mail-agent', '"mail-agent"', AGENT],
    ['downstreams.graph.agent', ['8a7f2f5e-0f5c-4a43-8c7e-2b5b9f3a1c11'], 'a list of 1', AGENT],
    ['downstreams.graph.timeout.connect', 2, '2', TIME_LIMIT],
    ['downstreams.graph.timeout.response', '', '""', TIME_LIMIT],
    ['downstreams.graph.timeout.idle', 'never', '"never"', TIME_LIMIT],
    ['tokenCache.maxSessions', 0, '0', NUMBER('1 to 5000000')],
    ['tokenCache.maxSessions', 'all', '"all"', NUMBER('1 to 5000000')],
  ])('in %s: %j is named, and what is allowed', async (key, written, found, allowed) => {
    const faults = await folder.faultsOf(withKeys({ [key.replace(/\[\d\]$/, '')]: written }));
    // Without downstreams the contract cannot be right either.
    expect(faults.filter(({ at }) => at !== 'contract GET /me')).toEqual([
      { at: key, message: `found ${found}; allowed: ${allowed}` },
    ]);
  });

  it('that YAML knows but JSON lacks is shown as it was written', async () => {
    const faults = await folder.faultsOf(withKeys({ 'server.port': Infinity }));
    expect(linesOf(faults)).toEqual([expect.not.stringContaining('null')]);
  });

  it('in the name of a downstream is named', async () => {
    const faults = await folder.faultsOf(
      withKeys({ 'downstreams.my api': { baseUrl: 'https://a.example', scopes: ['a/b'] } }),
    );
    expect(linesOf(faults)).toEqual([
      'downstreams.my api: found this name; allowed: a name of letters, digits, - and _',
    ]);
  });
});

describe('the address of Entra may be http only on this machine', () => {
  it.each(['http://localhost:8081', 'http://127.0.0.1', 'http://127.9.9.9:1', 'http://[::1]:8081'])(
    '%s',
    async (authority) => {
      expect((await folder.load(withKeys({ 'identity.authority': authority }))).identity.authority).toBe(authority);
    },
  );

  it.each([
    'http://login.microsoftonline.com',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://10.0.0.1',
    'http://[::2]',
    'http://0.0.0.0',
  ])('%s is not', async (authority) => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'identity.authority': authority })))).toEqual([
      `identity.authority: found "${authority}"; allowed: ${AUTHORITY}`,
    ]);
  });
});

describe('an agent identity', () => {
  const AGENT_ID = '8A7F2F5E-0F5C-4A43-8C7E-2B5B9F3A1C11';

  it('is named by its client id, in capital or small letters', async () => {
    const { downstreams } = await folder.load(withKeys({ 'downstreams.graph.agent': AGENT_ID }));
    expect(downstreams['graph']?.agent).toBe(AGENT_ID.toLowerCase());
  });

  it('is not the gateway itself, which is the blueprint', async () => {
    const changes = { 'identity.clientId': AGENT_ID.toLowerCase(), 'downstreams.graph.agent': AGENT_ID };
    expect(linesOf(await folder.faultsOf(withKeys(changes)))).toEqual([
      'downstreams.graph.agent: found identity.clientId, the blueprint; allowed: the client id of one of its agent identities',
    ]);
  });
});

describe('scopes of one resource', () => {
  const US = { 'identity.authority': 'https://login.microsoftonline.us' };

  it('may be bare names and those of the Graph of the same cloud', async () => {
    const scopes = ['User.Read', 'https://graph.microsoft.us/Mail.Read'];
    const config = await folder.load(withKeys({ ...US, 'downstreams.graph.scopes': scopes }));
    expect(config.downstreams['graph']).toMatchObject({
      scopes: ['https://graph.microsoft.us/User.Read', 'https://graph.microsoft.us/Mail.Read'],
      applicationScope: 'https://graph.microsoft.us/.default',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    [
      'bare names and those of the Graph of another cloud',
      { ...US, 'downstreams.graph.scopes': ['User.Read', 'https://graph.microsoft.com/Mail.Read'] },
    ],
    ['a bare .default beside another', { 'downstreams.graph.scopes': ['.default', 'User.Read'] }],
    [
      'two resources while the authority is wrong as well',
      { 'identity.authority': 'nowhere', 'downstreams.graph.scopes': ['api://a/R', 'api://b/R'] },
    ],
  ])('are not %s', async (_what, changes) => {
    expect(linesOf(await folder.faultsOf(withKeys(changes)))).toContain(
      `downstreams.graph.scopes: found a list of 2; allowed: ${ONE_RESOURCE}`,
    );
  });

  it.each([
    [['User.Read', 'Mail.Read'], 'https://graph.microsoft.com/.default'],
    [['User.Read', 'https://graph.microsoft.com/Mail.Read'], 'https://graph.microsoft.com/.default'],
    [['api://orders/.default'], 'api://orders/.default'],
    [['api://a/b/Read', 'api://a/b/Write'], 'api://a/b/.default'],
  ])('%j are taken, and %s for the gateway itself', async (written, applicationScope) => {
    const config = await folder.load(withKeys({ 'downstreams.graph.scopes': written }));
    const scopes = written.map((scope) => (scope.includes('/') ? scope : `https://graph.microsoft.com/${scope}`));
    expect(config.downstreams['graph']).toMatchObject({ scopes, applicationScope });
  });
});

describe('many tenants', () => {
  it('are allowed one by one', async () => {
    const { identity } = await folder.load(
      withKeys({ 'identity.tenant': 'organizations', 'identity.allowedTenants': [TENANT.toUpperCase()] }),
    );
    expect([identity.tenant, identity.allowedTenants]).toEqual(['organizations', [TENANT]]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'organizations without a list',
      { 'identity.tenant': 'organizations' },
      "found nothing; allowed: at least one tenant id, because the tenant is 'organizations'",
    ],
    [
      'organizations with an empty list',
      { 'identity.tenant': 'organizations', 'identity.allowedTenants': [] },
      "found nothing; allowed: at least one tenant id, because the tenant is 'organizations'",
    ],
    [
      'one tenant and a list',
      { 'identity.allowedTenants': [TENANT] },
      "found a list of 1; allowed: nothing, unless the tenant is 'organizations'",
    ],
    [
      'organizations and no list but a text',
      { 'identity.tenant': 'organizations', 'identity.allowedTenants': TENANT },
      `found "${TENANT}"; allowed: a list of tenant ids`,
    ],
  ])('cannot be %s', async (_case, changes, message) => {
    expect(await folder.faultsOf(withKeys(changes))).toEqual([{ at: 'identity.allowedTenants', message }]);
  });

  it('are named when they are no GUIDs', async () => {
    const yaml = withKeys({ 'identity.tenant': 'organizations', 'identity.allowedTenants': [TENANT, 'contoso.com'] });
    expect(linesOf(await folder.faultsOf(yaml))).toEqual([
      'identity.allowedTenants[1]: found "contoso.com"; allowed: a tenant id (a GUID)',
    ]);
  });
});

describe('an address of Redis, which may hold a password', () => {
  it.each<[string, string, unknown, string]>([
    ['is named', 'tokenCache.redis.url', 'http://:s3cr3t@cache', 'an address such as redis://'],
    ['is named when it is no text', 'tokenCache.redis.url', 6379, 'an address such as redis://'],
    ['is named when it lacks something', 'tokenCache.redis.url', 'redis+sentinel://:s3cr3t@cache', 'the primary'],
    ['is named in the place of its map', 'tokenCache.redis', 'redis://:s3cr3t@cache', 'a map of keys'],
  ])('%s, without being shown', async (_how, key, value, allowed) => {
    const faults = await folder.faultsOf(withKeys({ [key]: value }));
    expect(faults).toEqual([{ at: key, message: expect.stringContaining(allowed) }]);
    expect(JSON.stringify(faults)).not.toContain('s3cr3t');
  });

  it('is missing when it is left out', async () => {
    expect(await folder.faultsOf(withKeys({ 'tokenCache.redis': {} }))).toEqual([
      { at: 'tokenCache.redis.url', message: expect.stringMatching(/^found nothing; allowed: an address/) },
    ]);
  });
});

describe('every fault is told at once', () => {
  it('of gateway.yaml and of the contract', async () => {
    await folder.write('bad.yaml', CONTRACT.replace('service: graph', 'service: nobody'));
    const faults = await folder.faultsOf(
      withKeys({
        contract: './bad.yaml',
        'server.port': 'http',
        'server.colour': 'red',
        'identity.tenant': 'common',
        'identity.credential.secret': '${NOT_SET}',
      }),
    );
    expect(faults.map(({ at }) => at).toSorted()).toEqual([
      'contract GET /me',
      'identity.credential.secret',
      'identity.tenant',
      'server.colour',
      'server.port',
    ]);
  });
});

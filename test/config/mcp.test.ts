import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CLIENT, CONTRACT, linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const OTHER = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807';
const LISTED = { 'identity.allowedClients': [CLIENT.toUpperCase()] };
const SCOPE = 'https://api.contoso.com/mcp/files.read';
const FACADE = { authorizationServer: 'facade' };

/** Writes a contract with an MCP server, and perhaps with something else. */
async function writeContract(security: string, more = ''): Promise<void> {
  const server = `  /mcp:\n    x-mcp-server: { service: graph, security: ${security} }\n`;
  await folder.write(
    'openapi.yaml',
    CONTRACT.replace('  /me:\n', `${more}${server}  /me:\n`).replace('scopes: {', `scopes: { ${SCOPE}: Read files,`),
  );
}

const FILES = `[{ user: [${SCOPE}] }]`;
beforeEach(() => writeContract(FILES));

describe('mcp', () => {
  it('is off without its section', async () => {
    expect((await folder.load(withKeys({}))).mcp).toBeUndefined();
  });

  it.each([
    [{}, { authorizationServer: 'entra', register: false, rateLimit: { requests: 60, per: 60_000 } }],
    [FACADE, { authorizationServer: 'facade', register: false, rateLimit: { requests: 60, per: 60_000 } }],
    [
      { ...FACADE, register: true, clientId: CLIENT.toUpperCase(), rateLimit: { requests: 5, per: '1h' } },
      { authorizationServer: 'facade', register: true, clientId: CLIENT, rateLimit: { requests: 5, per: 3_600_000 } },
    ],
  ])('may be %j', async (mcp, expected) => {
    expect((await folder.load(withKeys({ ...LISTED, mcp }))).mcp).toEqual(expected);
  });

  it.each<[keys: Record<string, unknown>, fault: string]>([
    [
      { mcp: { authorizationServer: 'proxy' } },
      "mcp.authorizationServer: found \"proxy\"; allowed: 'entra' or 'facade'",
    ],
    [{ mcp: { ...FACADE, registers: true } }, 'mcp.registers: is not a known key; did you mean register?'],
    [{ mcp: { ...FACADE, register: 'yes' } }, 'mcp.register: found "yes"; allowed: true or false'],
    [
      { mcp: FACADE, 'identity.allowedClients': [] },
      'identity.allowedClients: found nothing; allowed: at least one client id with mcp.authorizationServer: facade',
    ],
    [
      { mcp: FACADE, 'identity.allowedClients': undefined },
      'identity.allowedClients: found nothing; allowed: at least one client id with mcp.authorizationServer: facade',
    ],
    [
      { mcp: { ...FACADE, register: true } },
      'mcp.clientId: found nothing; allowed: a client id with mcp.register: true',
    ],
    [
      { mcp: { ...FACADE, register: true, clientId: OTHER } },
      'mcp.clientId: found a client id that is not in identity.allowedClients',
    ],
    [
      { mcp: { ...FACADE, register: true, clientId: 'desktop' } },
      'mcp.clientId: found "desktop"; allowed: an application (client) id (a GUID)',
    ],
    [
      { mcp: { ...FACADE, clientId: CLIENT } },
      'mcp.clientId: found a value; allowed: nothing without mcp.register: true',
    ],
    [{ mcp: { register: true } }, 'mcp.register: found a value; allowed: nothing without authorizationServer: facade'],
    [{ mcp: { rateLimit: {} } }, 'mcp.rateLimit: found a value; allowed: nothing without authorizationServer: facade'],
  ])('%j is a fault', async (keys, fault) => {
    expect(linesOf(await folder.faultsOf(withKeys({ ...LISTED, ...keys })))).toEqual([fault]);
  });
});

/** An operation of a contract. */
function operation(path: string): string {
  return `  ${path}:\n    get:\n      security: [{ user: [Profile.Read] }]\n      x-downstream: { service: graph }\n      responses: { '200': { description: x } }\n`;
}

describe('a façade and the contract', () => {
  const keys = withKeys({ ...LISTED, mcp: FACADE });

  it.each(['[{ app: [Files.Read.All] }]', '[]'])(
    'do not go together where people do not connect: %s',
    async (security) => {
      await writeContract(security);
      expect(linesOf(await folder.faultsOf(keys))).toContain(
        'mcp.authorizationServer: found "facade"; allowed: entra, because the contract has no x-mcp-server with scopes for users',
      );
    },
  );

  it.each([
    '/mcp/token',
    '/mcp/authorize',
    '/mcp/register',
    '/mcp/%74oken',
    '/.well-known/oauth-authorization-server/mcp',
  ])('do not go together with an operation at %s', async (path) => {
    await writeContract(FILES, operation(path));
    expect(linesOf(await folder.faultsOf(keys))).toEqual([
      `contract GET ${path}: is a path of the authorization façade (mcp.authorizationServer)`,
    ]);
  });

  it('do not go together with an operation where the metadata are behind a public path', async () => {
    const path = '/.well-known/oauth-authorization-server/v1/mcp';
    await writeContract(FILES, operation(path));
    const publicUrl = 'https://api.contoso.com/v1/';
    expect(linesOf(await folder.faultsOf(withKeys({ ...LISTED, mcp: FACADE, 'server.publicUrl': publicUrl })))).toEqual(
      [`contract GET ${path}: is a path of the authorization façade (mcp.authorizationServer)`],
    );
  });

  it.each(['/mcp/tokens', '/token', '/.well-known/oauth-authorization-server/v1/mcp'])(
    'go together with an operation at %s',
    async (path) => {
      await writeContract(FILES, operation(path));
      expect((await folder.load(keys)).mcp).toBeDefined();
    },
  );
});

describe('the metadata of an MCP server', () => {
  const METADATA = '/.well-known/oauth-protected-resource';

  it.each([
    [undefined, `${METADATA}/mcp`],
    [undefined, `${METADATA}/%6dcp`],
    ['https://api.contoso.com', `${METADATA}/mcp`],
    ['https://api.contoso.com/v1', `${METADATA}/v1/mcp`],
    ['https://api.contoso.com/v1/', `${METADATA}/v1/mcp`],
    ['https://api.contoso.com/v1', `${METADATA}/v1`],
  ])('behind %s are where no operation can be: %s', async (publicUrl, path) => {
    await writeContract(FILES, operation(path));
    expect(linesOf(await folder.faultsOf(withKeys({ 'server.publicUrl': publicUrl })))).toEqual([
      `contract GET ${path}: is a path that the gateway answers itself`,
    ]);
  });

  it.each([
    [undefined, `${METADATA}/notes`],
    ['https://api.contoso.com/v1', `${METADATA}/mcp`],
  ])('behind %s leave room for an operation at %s', async (publicUrl, path) => {
    await writeContract(FILES, operation(path));
    const { contract } = await folder.load(withKeys({ 'server.publicUrl': publicUrl }));
    expect(contract.routes.has(path)).toBe(true);
  });
});

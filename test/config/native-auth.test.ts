import { afterAll, describe, expect, it } from '@jest/globals';
import { CLIENT, CONTRACT, linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const CIAM = { 'identity.authority': 'https://contoso.ciamlogin.com' };
const SECTION = { origins: ['https://shop.contoso.com'], clients: [CLIENT] };

describe('native authentication', () => {
  it('is off without its section', async () => {
    expect((await folder.load(withKeys(CIAM))).nativeAuth).toBeUndefined();
  });

  it('needs origins and clients only', async () => {
    expect((await folder.load(withKeys({ ...CIAM, nativeAuth: SECTION }))).nativeAuth).toEqual({
      path: '/native-auth',
      ...SECTION,
      rateLimit: { requests: 60, per: 60_000 },
    });
  });

  it('is for the origins of server.cors without its own', async () => {
    const origins = ['https://a.example'];
    const keys = { ...CIAM, 'server.cors': { origins }, nativeAuth: { clients: [CLIENT.toUpperCase()] } };
    expect((await folder.load(withKeys(keys))).nativeAuth).toMatchObject({ origins, clients: [CLIENT] });
  });

  it.each([
    { ...CIAM, 'server.cors': { origins: ['https://a.example'] }, nativeAuth: { clients: [CLIENT] } },
    { 'identity.authority': 'http://localhost:8081', nativeAuth: SECTION },
    { ...CIAM, nativeAuth: { ...SECTION, path: '/auth/native.v1' } },
    { ...CIAM, nativeAuth: { ...SECTION, rateLimit: { requests: '5', per: '1h' } } },
  ])('may be set as %j', async (keys) => {
    expect((await folder.load(withKeys(keys))).nativeAuth).toBeDefined();
  });

  const path = 'a path such as /native-auth, without a slash at the end; not /openapi.json';
  it.each<[keys: Record<string, unknown>, fault: string]>([
    [{ nativeAuth: null }, 'nativeAuth: found nothing; allowed: a map of keys'],
    [{ nativeAuth: { ...SECTION, client: 'a' } }, 'nativeAuth.client: is not a known key; did you mean clients?'],
    [
      { nativeAuth: { origins: SECTION.origins } },
      'nativeAuth.clients: found nothing; allowed: a list of application (client) ids',
    ],
    [
      { nativeAuth: { ...SECTION, clients: [] } },
      'nativeAuth.clients: found a list of 0; allowed: a list of application (client) ids',
    ],
    [
      { nativeAuth: { ...SECTION, clients: ['storefront'] } },
      'nativeAuth.clients[0]: found "storefront"; allowed: an application (client) id (a GUID)',
    ],
    [
      { nativeAuth: { clients: [CLIENT] } },
      'nativeAuth.origins: found nothing; allowed: at least one origin, here or in server.cors.origins',
    ],
    [
      { 'server.cors': { origins: ['https://a.example'] }, nativeAuth: { ...SECTION, origins: [] } },
      'nativeAuth.origins: found nothing; allowed: at least one origin, here or in server.cors.origins',
    ],
    [
      { nativeAuth: { ...SECTION, origins: ['*'] } },
      'nativeAuth.origins[0]: found "*"; allowed: an exact origin such as https://app.contoso.com, without a path',
    ],
    ...['native-auth', '/', '/native-auth/', '//native-auth', '/a/../b', '/.well-known', '/a b', '/a?b', '/%61'].map(
      (written): [Record<string, unknown>, string] => [
        { nativeAuth: { ...SECTION, path: written } },
        `nativeAuth.path: found "${written}"; allowed: ${path}`,
      ],
    ),
    [{ nativeAuth: { ...SECTION, path: '/openapi.json' } }, `nativeAuth.path: found "/openapi.json"; allowed: ${path}`],
    [
      { nativeAuth: { ...SECTION, rateLimit: { requests: 0 } } },
      'nativeAuth.rateLimit.requests: found 0; allowed: a whole number from 1 to 1000000',
    ],
    [
      { nativeAuth: { ...SECTION, rateLimit: { per: '0s' } } },
      'nativeAuth.rateLimit.per: found "0s"; allowed: a duration such as 30s or 1m, not zero',
    ],
    [
      { 'identity.authority': undefined, nativeAuth: SECTION },
      'nativeAuth: needs an External ID tenant in identity.authority, such as https://contoso.ciamlogin.com; found "https://login.microsoftonline.com"',
    ],
    [
      { 'identity.authority': 'https://ciamlogin.com.evil.example', nativeAuth: SECTION },
      'nativeAuth: needs an External ID tenant in identity.authority, such as https://contoso.ciamlogin.com; found "https://ciamlogin.com.evil.example"',
    ],
    [
      { 'identity.tenant': 'organizations', 'identity.allowedTenants': [CLIENT], nativeAuth: SECTION },
      'nativeAuth: needs a tenant id in identity.tenant; found "organizations"',
    ],
  ])('%j is a fault', async (keys, fault) => {
    expect(linesOf(await folder.faultsOf(withKeys({ ...CIAM, ...keys })))).toEqual([fault]);
  });
});

/** Writes a contract whose one operation has another path. */
async function writeContract(path: string, parameters: readonly object[] = []): Promise<void> {
  const text = CONTRACT.replace('  /me:\n', `  ${path}:\n    parameters: ${JSON.stringify(parameters)}\n`);
  await folder.write('openapi.yaml', text);
}

describe('an operation of the contract', () => {
  const keys = { ...CIAM, nativeAuth: { ...SECTION, path: '/auth' } };

  it.each(['/auth', '/auth/', '/auth/oauth2/v2.0/token', '/%61uth/me'])('at %s is a fault', async (path) => {
    await writeContract(path);
    expect(linesOf(await folder.faultsOf(withKeys(keys)))).toEqual([
      `contract GET ${path}: is below nativeAuth.path (/auth), where native authentication answers`,
    ]);
  });

  it.each(['/authors', '/me/auth', '/Auth'])('at %s is none', async (path) => {
    await writeContract(path);
    expect((await folder.load(withKeys(keys))).contract.operations).toHaveLength(1);
  });

  it('that takes any path is none: the more concrete path wins', async () => {
    const parameter = { name: 'path', in: 'path', required: true, 'x-multi-segment': true, schema: { type: 'string' } };
    await writeContract('/{path}', [parameter]);
    expect((await folder.load(withKeys(keys))).contract.operations).toHaveLength(1);
  });
});

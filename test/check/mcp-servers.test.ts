import { expect, it } from '@jest/globals';
import { adviseMcpServers } from '../../src/check/advise-mcp-servers.ts';
import type { GatewayConfig } from '../../src/config/load-config.ts';
import { load, type Node } from '../contract/documents.ts';

const CLIENT_ID = '6e74172b-be56-4843-9ff4-e66a39bb12e3';

/** The report about a server at `https://api.contoso.com/mcp`. */
async function report(
  server: Node,
  audiences: readonly string[] = [CLIENT_ID],
  publicUrl = 'https://api.contoso.com',
  mcp?: object,
) {
  const { contract, lines } = await load({
    openapi: '3.1.0',
    info: { title: 'Files', version: '1' },
    paths: { '/mcp': { 'x-mcp-server': { service: 'orders', ...server } } },
  });
  expect(lines).toEqual([]);
  const config = { contract, server: { publicUrl }, identity: { audiences, clientId: CLIENT_ID }, mcp };
  return adviseMcpServers(config as unknown as GatewayConfig);
}

const READ = { security: [{ user: ['https://api.contoso.com/mcp/files.read'] }] };
const OK = { status: 'ok' };

it.each<[string, Node, string | undefined, RegExp]>([
  [
    'scopes of the client id',
    { security: [{ user: [`api://${CLIENT_ID}/files.read`] }] },
    undefined,
    /^api:\/\/.*files\.read$/,
  ],
  [
    'scopes of the origin alone',
    { security: [{ user: ['https://api.contoso.com/files.read'] }] },
    undefined,
    /^https:\/\/api\.contoso\.com\/files\.read$/,
  ],
  ['scopes without a resource', { security: [{ user: ['files.read'] }] }, undefined, /^files\.read$/],
  [
    'the scope of a tool',
    { ...READ, tools: { t: { security: [{ user: ['api://x/files.write'] }] } } },
    undefined,
    /^api:\/\/x\/files\.write$/,
  ],
  ['another public address', READ, 'https://api.contoso.com/v1', /files\.read$/],
])('Entra would refuse %s with the resource that clients send', async (_case, server, publicUrl, found) => {
  const [row] = await report(server, undefined, publicUrl);
  expect(row).toMatchObject({
    status: 'warn',
    check: 'MCP server /mcp: resource',
    found: expect.stringMatching(found),
    reason: expect.stringContaining('AADSTS9010010'),
    remedy: expect.stringContaining(`${publicUrl ?? 'https://api.contoso.com'}/mcp`),
  });
});

it('an Application ID URI never ends in a slash', async () => {
  const [row] = await report({ security: [{ user: ['https://api.contoso.com/mcp//files.read'] }] });
  expect(row).toMatchObject({ status: 'warn', remedy: expect.stringContaining('without the slash') });
});

it.each([
  ['the address of a server', [CLIENT_ID, 'https://api.contoso.com/mcp/']],
  ['nothing of v2', [`api://${CLIENT_ID}`]],
])('tokens of v1 do not fit where the audiences are %s', async (_case, audiences) => {
  expect(await report(READ, audiences)).toMatchObject([
    OK,
    { status: 'warn', key: 'identity.audiences', remedy: expect.stringContaining('requestedAccessTokenVersion: 2') },
  ]);
});

it('all is well where resource, scopes and tokens fit', async () => {
  const rows = await report({
    ...READ,
    tools: { t: { security: [{ user: ['https://api.contoso.com/mcp/files.write'] }] } },
  });
  expect(rows).toMatchObject([{ ...OK, found: 'https://api.contoso.com/mcp' }, OK]);
});

const FACADE = { authorizationServer: 'facade' };
const ANY_URI = { security: [{ user: ['api://x/files.read'] }] };
const OF_TWO = { ...READ, tools: { t: { security: [{ user: ['api://x/files.write'] }] } } };

it.each<[string, Node, string]>([
  ['any one Application ID URI', { security: [{ user: [`api://${CLIENT_ID}/files.read`] }] }, 'ok'],
  ['scopes without a resource', { security: [{ user: ['files.read'] }] }, 'warn'],
  ['scopes of two of them', OF_TWO, 'warn'],
  ['no scopes', { security: [{ app: ['Files.Read.All'] }] }, 'ok'],
])('behind the façade, which sends no resource, %s is told', async (_case, server, status) => {
  const [row] = await report(server, undefined, undefined, FACADE);
  expect(row).toMatchObject({ status });
});

it.each<[string, Node, string, RegExp]>([
  ['of another resource', OF_TWO, 'api://x/files.write', /one token for one resource/],
  ['without a resource', { security: [{ user: ['files.read'] }] }, 'files.read', /Microsoft Graph/],
])('behind the façade, scopes %s fail for a reason of their own', async (_case, server, found, reason) => {
  const [row] = await report(server, undefined, undefined, FACADE);
  expect(row).toMatchObject({ found, reason: expect.stringMatching(reason) });
  expect(JSON.stringify(row)).not.toContain('AADSTS9010010');
});

it.each<[string, Node, string[]]>([
  ['are nothing to tell of with scopes of any Application ID URI', ANY_URI, ['ok']],
  ['do not fit with scopes of the address of the server', READ, ['ok', 'warn']],
])('behind the façade, tokens of v1 %s', async (_case, server, statuses) => {
  const rows = await report(server, ['api://x'], undefined, FACADE);
  expect(rows.map(({ status }) => status)).toEqual(statuses);
});

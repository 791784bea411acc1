import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DESKTOP_CLIENT_ID } from '../../dev/emulator/world.ts';
import { createObo } from '../../src/index.ts';
import { EXPRESS, startApplicationWorld } from '../support/application-world.ts';
import { readChallenge } from '../support/gateway-world.ts';

const PUBLIC_URL = 'https://app.contoso.com/api';
const RESOURCE = `${PUBLIC_URL}/mcp`;
const READ = `${RESOURCE}/Orders.Read`;
const WRITE = `${RESOURCE}/Orders.ReadWrite`;

const folder = await mkdtemp(join(tmpdir(), 'obo-library-mcp-'));
const contract = join(folder, 'openapi.json');
await writeFile(
  contract,
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Files', version: '1' },
    paths: {
      '/mcp': {
        'x-mcp-server': {
          service: 'orders',
          security: [{ user: [READ] }],
          tools: { write_file: { security: [{ user: [WRITE] }] } },
        },
      },
    },
  }),
);
const facade = {
  contract,
  identity: { allowedClients: [DESKTOP_CLIENT_ID] },
  mcp: { authorizationServer: 'facade' },
};
const world = await startApplicationWorld({ ...facade, server: { publicUrl: PUBLIC_URL } });
const { obo, orders } = world;
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});
afterEach(() => orders.reset());

function bearer(scopes: string[]): { authorization: string } {
  return { authorization: `Bearer ${world.token('adele', { scopes })}` };
}

describe.each(Object.entries(EXPRESS))('an MCP server below a path of %s', (_version, express) => {
  let url: string;

  beforeAll(async () => {
    const app = express();
    app.use('/api', obo.proxy());
    app.get(/^\/\.well-known\/oauth-/, obo.proxy());
    app.use(obo.answerErrors());
    url = await world.listen(app);
  });

  function callTool(name: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${url}/api/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name } }),
    });
  }

  it.each<[tool: string, scopes: string[], status: number, scope: string | undefined]>([
    ['read_file', ['Orders.Read'], 200, undefined],
    ['write_file', ['Orders.Read'], 403, `${READ} ${WRITE}`],
    ['write_file', ['Orders.Read', 'Orders.ReadWrite'], 200, undefined],
  ])('lets %s be called by who has %p: %p', async (tool, scopes, status, scope) => {
    const response = await callTool(tool, bearer(scopes));
    const challenge = Object.fromEntries(readChallenge(response)) as Record<string, string>;
    expect([response.status, challenge['scope']]).toEqual([status, scope]);
    expect(orders.requests.map((request) => request.url)).toEqual(status === 200 ? ['/base/mcp'] : []);
  });

  it('leads clients to its metadata and its façade', async () => {
    const { resource_metadata: address = '' } = Object.fromEntries(readChallenge(await callTool('read_file')));
    expect(address).toBe('https://app.contoso.com/.well-known/oauth-protected-resource/api/mcp');
    const metadata = await fetch(`${url}${new URL(address).pathname}`);
    expect(await metadata.json()).toMatchObject({ resource: RESOURCE, authorization_servers: [RESOURCE] });
    const server = await fetch(`${url}/.well-known/oauth-authorization-server/api/mcp`);
    expect(await server.json()).toMatchObject({ issuer: RESOURCE, token_endpoint: `${RESOURCE}/token` });
    const token = await fetch(`${url}/api/mcp/token`, { method: 'POST' });
    expect([token.status, await token.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  it('answers a message that cannot be decided on in the words of its protocol', async () => {
    const response = await callTool('read_file', { ...bearer(['Orders.Read']), 'mcp-name': 'write_file' });
    expect([response.status, await response.json()]).toMatchObject([400, { id: 7, error: { code: -32_020 } }]);
  });

  it.each([
    ['https://app.contoso.com', 200],
    ['https://evil.example', 403],
  ])('answers pages of %s with %p', async (origin, status) => {
    expect((await callTool('read_file', { ...bearer(['Orders.Read']), origin })).status).toBe(status);
  });
});

it('an application has no façade at an address that nobody says', async () => {
  const config = { ...world.config, server: {} };
  await expect(createObo({ config, env: { SECRET: 'x' } })).rejects.toMatchObject({
    faults: [{ at: 'server.publicUrl', message: expect.stringContaining('mcp.authorizationServer') }],
  });
});

import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { GRAPH_MFA_POLICY_ID } from '../../dev/emulator/world.ts';
import { readClaimsScope } from '../../src/syntax/claims-scope.ts';
import { claimsOf } from '../dev/token-requests.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { readChallenge, readClaims, readProblem } from '../support/gateway-world.ts';
import { startFacadeWorld, type FacadeWorld } from './facade/facade-world.ts';

const withFacade = await startFacadeWorld();
const without = await startFacadeWorld({ mcp: { authorizationServer: 'entra' } });
afterAll(() => Promise.all([withFacade.close(), without.close()]));
afterEach(() => {
  withFacade.downstream.reset();
  without.downstream.reset();
});

const CONTEXT = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const FRESH = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
const MFA = { user: 'megan', mfa: 'approved' };

/** A token of Megan for everything; each one is newer than those before. */
let issued = 0;
function tokenOf(
  world: FacadeWorld,
  more: { readonly capabilities?: string[]; readonly acrs?: string[] } = {},
): string {
  issued += 1;
  const iat = Math.floor(Date.now() / 1_000) - 100 + issued;
  return world.token('megan', {
    scopes: ['files.read', 'files.write', 'notes.read'],
    amr: ['pwd', 'mfa'],
    claims: { iat },
    ...more,
  });
}

/** What the challenge of a refusal asks for: its error, its scopes, and the claims that the last scope stands for. */
function readScopes(response: Response): { error?: string | undefined; scopes: string[]; claims?: string | undefined } {
  const { error, scope = '' } = Object.fromEntries(readChallenge(response)) as Record<string, string>;
  const scopes = scope.split(' ');
  return { error, scopes: scopes.slice(0, -1), claims: readClaimsScope(scopes.at(-1) ?? '') };
}

/** A downstream that answers like Microsoft Graph that wants claims. */
function demand(claims: string): ReturnType<typeof answerWith> {
  const encoded = Buffer.from(claims).toString('base64');
  return answerWith(401, ['www-authenticate', `Bearer realm="", error="insufficient_claims", claims="${encoded}"`]);
}

/** Sends a message to a server. */
function send(path: string, token: string, message: object): Promise<Response> {
  return withFacade.call(path, {
    method: 'POST',
    token,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  });
}

describe('a client that knows no claims, and gets its tokens from the façade,', () => {
  it('is asked for a scope that stands for the context of a tool, beside those that the tool needs', async () => {
    const response = await withFacade.callTool('delete_file', tokenOf(withFacade));
    const line = await withFacade.log.of(response.headers.get('x-request-id'));
    expect([response.status, readScopes(response)]).toEqual([
      403,
      {
        error: 'insufficient_scope',
        scopes: [withFacade.scope('files.read'), withFacade.scope('files.write')],
        claims: CONTEXT,
      },
    ]);
    expect(Object.fromEntries(readChallenge(response))).toMatchObject({
      resource_metadata: `${withFacade.origin}/.well-known/oauth-protected-resource/mcp`,
    });
    expect(readChallenge(response).map(([name]) => name)).not.toContain('claims');
    expect(await readProblem(response)).toMatchObject({ code: 'insufficient_scope', claims: CONTEXT });
    expect(line).toMatchObject({ event: 'challenge.sent', authContext: 'c1', code: 'insufficient_scope' });
  });

  it('is asked for both at once where it lacks the scope of a tool, too', async () => {
    const response = await withFacade.callTool('delete_file', withFacade.token('megan', { scopes: ['files.read'] }));
    expect([response.status, readScopes(response)]).toEqual([
      403,
      {
        error: 'insufficient_scope',
        scopes: [withFacade.scope('files.read'), withFacade.scope('files.write')],
        claims: CONTEXT,
      },
    ]);
  });

  it('steps up with it', async () => {
    const refused = await withFacade.callTool('delete_file', tokenOf(withFacade));
    const asked = Object.fromEntries(readChallenge(refused))['scope'];
    const { access_token: token } = (await (
      await withFacade.redeem((await withFacade.signIn(MFA, { scope: asked })).get('code'))
    ).json()) as { access_token: string };
    expect(claimsOf(token)).toMatchObject({ acrs: ['c1'], scp: 'files.read files.write' });
    expect((await withFacade.callTool('delete_file', token)).status).toBe(200);
  });

  it('is asked for what a policy of Entra wants before the downstream is called', async () => {
    const token = withFacade.token('megan', { scopes: ['files.read'] });
    const response = await withFacade.callTool('read_file', token);
    const { scopes, claims } = readScopes(response);
    expect([response.status, scopes, claims]).toEqual([
      403,
      [withFacade.scope('files.read')],
      expect.stringContaining(GRAPH_MFA_POLICY_ID),
    ]);
    const again = await withFacade.callTool('read_file', token);
    expect([again.status, readScopes(again).claims]).toEqual([403, claims]);
  });

  it('is asked for what a downstream wants, and for nothing else of its challenge', async () => {
    withFacade.downstream.answer = demand(FRESH);
    const response = await withFacade.callTool('read_file', tokenOf(withFacade));
    expect([response.status, readScopes(response)]).toEqual([
      403,
      { error: 'insufficient_scope', scopes: [withFacade.scope('files.read')], claims: FRESH },
    ]);
  });

  it.each([
    ['a tool', 'read_file', ['list_files', 'move_file']],
    ['a tool with rules', 'move_file', ['copy_file', 'list_files']],
  ])('is refused for what %s is asked, and goes on with others', async (_what, refused, others) => {
    const token = withFacade.token('megan', { scopes: ['files.read', 'files.write'], amr: ['pwd', 'mfa'] });
    withFacade.downstream.answer = demand(FRESH);
    expect((await withFacade.callTool(refused, token)).status).toBe(403);
    withFacade.downstream.reset();
    const statuses = [];
    for (const other of others) {
      statuses.push((await withFacade.callTool(other, token)).status);
    }
    expect(statuses).toEqual(others.map(() => 200));
  });

  it('is told when its third newer token meets the same', async () => {
    withFacade.downstream.answer = demand('{"access_token":{"acrs":{"value":"c7"}}}');
    const codes = [];
    for (let tries = 0; tries < 3; tries += 1) {
      codes.push((await readProblem(await withFacade.callTool('list_files', tokenOf(withFacade)))).code);
    }
    expect(codes).toEqual(['insufficient_scope', 'insufficient_scope', 'step_up_unsatisfiable']);
  });

  it.each([
    ['a tool without rules', '/mcp'],
    ['a server without tools', '/notes'],
  ])('is told so at %s, whatever other messages go through in between', async (_where, path) => {
    const answers = [];
    for (let tries = 0; tries < 3; tries += 1) {
      const token = tokenOf(withFacade);
      withFacade.downstream.reset();
      const listed = await send(path, token, { method: 'tools/list' });
      withFacade.downstream.answer = demand('{"access_token":{"acrs":{"value":"c6"}}}');
      const refused = await send(path, token, { method: 'tools/call', params: { name: 'find_file' } });
      answers.push([listed.status, (await readProblem(refused)).code]);
    }
    expect(answers).toEqual([
      [200, 'insufficient_scope'],
      [200, 'insufficient_scope'],
      [200, 'step_up_unsatisfiable'],
    ]);
  });
});

describe('a client that declared cp1', () => {
  it.each([
    ['with a façade', withFacade],
    ['without one', without],
  ])('gets the claims themselves, %s', async (_how, world) => {
    const response = await world.callTool('delete_file', tokenOf(world, { capabilities: ['cp1'] }));
    expect([response.status, readClaims(response), Object.fromEntries(readChallenge(response))['error']]).toEqual([
      401,
      CONTEXT,
      'insufficient_claims',
    ]);
  });
});

describe('a client that knows no claims', () => {
  it('is told so where there is no façade, because the 401 would make it sign the user in without end', async () => {
    const response = await without.callTool('delete_file', tokenOf(without));
    const line = await without.log.of(response.headers.get('x-request-id'));
    expect([response.status, response.headers.get('www-authenticate'), (await readProblem(response)).code]).toEqual([
      403,
      null,
      'client_not_capable',
    ]);
    expect(line['remedy']).toContain('mcp.authorizationServer');
  });

  it.each([
    ['with a façade', withFacade],
    ['without one', without],
  ])('gets the claims of an operation that is none of an MCP server, %s', async (_how, world) => {
    const response = await world.call('/orders', { token: tokenOf(world) });
    expect([response.status, readClaims(response)]).toEqual([401, CONTEXT]);
  });
});

describe('a missing scope', () => {
  it.each([
    ['where there is no façade', without, {}],
    ['of a client that takes claims', withFacade, { capabilities: ['cp1'] }],
    ['of a token that has the context', withFacade, { acrs: ['c1'] }],
  ])('is all that is asked for %s', async (_when, world, more) => {
    const response = await world.callTool('delete_file', world.token('megan', { scopes: ['files.read'], ...more }));
    expect(Object.fromEntries(readChallenge(response))['scope']).toBe(
      `${world.scope('files.read')} ${world.scope('files.write')}`,
    );
  });
});

describe('the metadata of the resource', () => {
  it.each([
    ['the façade of each server', withFacade, '/mcp', `${withFacade.origin}/mcp`],
    ['the façade of each server', withFacade, '/notes', `${withFacade.origin}/notes`],
    [
      'Entra, where only programs connect',
      withFacade,
      '/bots',
      `${withFacade.emulator.origin}/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0`,
    ],
    ['Entra', without, '/mcp', `${without.emulator.origin}/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0`],
    ['Entra', withFacade, '', `${withFacade.emulator.origin}/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0`],
  ])('name %s', async (_what, world, path, issuer) => {
    const response = await fetch(world.at(`/.well-known/oauth-protected-resource${path}`));
    expect(await response.json()).toMatchObject({
      resource: `${world.origin}${path}`,
      authorization_servers: [issuer],
    });
  });
});

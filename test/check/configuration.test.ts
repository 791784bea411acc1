import { afterAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { rowOf, startCheckWorld, type Changes } from './check-world.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

/** One downstream with that scope, which nobody has to reach. */
function graphOf(scope: string): Changes {
  return { downstreams: { graph: { baseUrl: 'http://127.0.0.1:1', scopes: [scope] } } };
}

const PAGE = '8c5f2a17-6d3e-4b90-a2f8-1e7c9b04d356';
const ELSEWHERE = 'http://api.contoso.com';

describe('what gateway.yaml says', () => {
  it.each<[string, Changes, object]>([
    ['public address', {}, { status: 'ok', found: 'https://api.contoso.com' }],
    ['public address', { server: { publicUrl: 'http://localhost:8080' } }, { status: 'ok' }],
    ['public address', { server: { publicUrl: undefined } }, { status: 'ok', found: 'http://127.0.0.1:0' }],
    ['public address', { server: { publicUrl: undefined, host: '::1' } }, { status: 'ok', found: 'http://[::1]:0' }],
    [
      'public address',
      { server: { publicUrl: undefined, host: '0.0.0.0' } },
      { status: 'warn', key: 'server.publicUrl', reason: expect.stringContaining('cannot use') },
    ],
    ['public address', { server: { publicUrl: undefined, host: '::' } }, { status: 'warn' }],
    ['public address', { server: { publicUrl: ELSEWHERE } }, { status: 'warn', found: ELSEWHERE }],
    ['trusted proxies', {}, { status: 'ok', found: expect.stringMatching(/^none/) }],
    ['trusted proxies', { server: { trustedProxies: ['10.0.0.0/8'] } }, { status: 'ok', found: '10.0.0.0/8' }],
    ['trusted proxies', { server: { trustedProxies: ['0.0.0.0/0'] } }, { status: 'fail', found: '0.0.0.0/0' }],
    ['trusted proxies', { server: { trustedProxies: ['10.0.0.0/8', '::/0'] } }, { status: 'fail', found: '::/0' }],
    ['consent', {}, { status: 'ok' }],
    [
      'consent',
      { identity: { consentRedirectUri: undefined } },
      { status: 'warn', key: 'identity.consentRedirectUri' },
    ],
    ['kind of credential', {}, { status: 'warn', found: 'secret', key: 'identity.credential' }],
    [
      'kind of credential',
      { identity: { credential: { federatedTokenFile: './missing' } } },
      { status: 'ok', found: 'federatedTokenFile' },
    ],
    [
      'documentation page',
      { server: { docs: { clientId: PAGE } } },
      { status: 'ok', found: `people sign in as users of ${PAGE}` },
    ],
    [
      'documentation page',
      { server: { docs: { clientId: PAGE } }, identity: { allowedClients: [GATEWAY_CLIENT_ID] } },
      { status: 'warn', found: PAGE, remedy: `add ${PAGE}`, key: 'identity.allowedClients' },
    ],
    ['audiences', {}, { status: 'ok', found: `${GATEWAY_CLIENT_ID}, api://${GATEWAY_CLIENT_ID}` }],
    ['audiences', { identity: { clientId: GATEWAY_CLIENT_ID.toUpperCase() } }, { status: 'ok' }],
    ['audiences', { identity: { audiences: ['api://orders', GATEWAY_CLIENT_ID] } }, { status: 'ok' }],
    [
      'audiences',
      { identity: { audiences: [`api://${GATEWAY_CLIENT_ID}`] } },
      {
        status: 'warn',
        found: `api://${GATEWAY_CLIENT_ID}`,
        reason: expect.stringContaining('every v2 token is refused'),
        remedy: expect.stringContaining(GATEWAY_CLIENT_ID),
        key: 'identity.audiences',
      },
    ],
    ['audiences', { identity: { audiences: [GATEWAY_CLIENT_ID.toUpperCase()] } }, { status: 'warn' }],
    [
      'downstream graph: cloud',
      graphOf('https://graph.microsoft.us/User.Read'),
      {
        status: 'warn',
        found: 'https://graph.microsoft.us',
        remedy: expect.stringContaining('https://graph.microsoft.com'),
        key: 'downstreams.graph.scopes',
      },
    ],
    ['allowed clients', {}, { status: 'ok', found: expect.stringContaining('any client') }],
    ['allowed clients', { identity: { allowedClients: ['a', 'b'] } }, { status: 'ok', found: '2 may call' }],
  ])('about %s is judged: %j', async (check, changes, row) => {
    expect(rowOf(await world.rowsOf(changes), check)).toMatchObject(row);
  });

  it.each(['https://graph.microsoft.com/User.Read', 'User.Read', 'api://orders/Read', 'https://graph.evil.us/x'])(
    'nothing about the cloud of %s',
    async (scope) => {
      expect(rowOf(await world.rowsOf(graphOf(scope)), 'downstream graph: cloud')).toBeUndefined();
    },
  );
});

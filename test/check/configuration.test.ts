import { afterAll, describe, expect, it } from '@jest/globals';
import { rowOf, startCheckWorld, type Changes } from './check-world.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

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
    ['allowed clients', {}, { status: 'ok', found: expect.stringContaining('any client') }],
    ['allowed clients', { identity: { allowedClients: ['a', 'b'] } }, { status: 'ok', found: '2 may call' }],
  ])('about %s is judged: %j', async (check, changes, row) => {
    expect(rowOf(await world.rowsOf(changes), check)).toMatchObject(row);
  });
});

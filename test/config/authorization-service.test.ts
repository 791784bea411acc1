import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { selfSigned } from '../support/token-certificate.ts';
import { linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const NOT_FORWARDED = 'a section authorizationService where only engines call it';

describe('authorizationService', () => {
  it('is off unless it is there', async () => {
    expect((await folder.load(withKeys({}))).authorizationService).toBeUndefined();
  });

  it('listens on this machine, and serves this machine, unless it says otherwise', async () => {
    const { authorizationService } = await folder.load(withKeys({ authorizationService: {} }));
    expect(authorizationService).toEqual({ host: '127.0.0.1', port: 8081, callers: ['127.0.0.0/8', '::1'] });
  });

  it.each(['0.0.0.0', '::', '10.0.0.5', 'gateway.internal'])(
    'must say whom it serves where it listens on %s',
    async (host) => {
      expect(linesOf(await folder.faultsOf(withKeys({ authorizationService: { host } })))).toEqual([
        expect.stringMatching(/^authorizationService\.callers: .*tokens are handed out$/),
      ]);
    },
  );

  it.each([
    ['server.port', { 'server.port': 8081 }],
    ['server.management.port', { 'server.management.port': 8081 }],
  ])('has another port than %s', async (key, other) => {
    expect(linesOf(await folder.faultsOf(withKeys({ ...other, authorizationService: {} })))).toEqual([
      `authorizationService.port: found 8081; allowed: another port than ${key}`,
    ]);
  });

  it('may have any port that is free, as the others may', async () => {
    const keys = { 'server.port': 0, 'server.management.port': 0, authorizationService: { port: 0 } };
    expect((await folder.load(withKeys(keys))).authorizationService).toMatchObject({ port: 0 });
  });

  it('has TLS like the other listener: its files are relative to gateway.yaml, and belong together', async () => {
    const own = selfSigned('localhost');
    await folder.write('own.pem', own.cert);
    await folder.write('own.key', own.key);
    await folder.write('other.key', selfSigned('other').key);
    const { authorizationService } = await folder.load(
      withKeys({ authorizationService: { tls: { cert: 'own.pem', key: 'own.key' } } }),
    );
    expect(authorizationService?.tls).toEqual({
      cert: join(folder.path, 'own.pem'),
      key: join(folder.path, 'own.key'),
    });
    const wrong = withKeys({ authorizationService: { tls: { cert: 'own.pem', key: 'other.key' } } });
    expect(linesOf(await folder.faultsOf(wrong))).toEqual([
      'authorizationService.tls.key: does not belong to the certificate',
    ]);
  });
});

describe('the address of a downstream', () => {
  const without = { 'downstreams.graph.baseUrl': undefined };

  it('is needed where the gateway forwards to it', async () => {
    expect(linesOf(await folder.faultsOf(withKeys(without)))).toEqual([
      `downstreams.graph.baseUrl: found nothing; allowed: the http or https address of the API, or ${NOT_FORWARDED}`,
    ]);
  });

  it('is not needed where engines call it', async () => {
    const { downstreams } = await folder.load(withKeys({ ...without, authorizationService: {} }), {
      GATEWAY_CLIENT_SECRET: 'hunter2',
      HTTPS_PROXY: 'http://proxy.example:3128',
    });
    expect(downstreams['graph']).not.toHaveProperty('baseUrl');
    expect(downstreams['graph']).not.toHaveProperty('proxy');
  });

  it('is needed for TLS with it', async () => {
    const keys = { ...without, authorizationService: {}, 'downstreams.graph.tls': { serverName: 'g' } };
    expect(linesOf(await folder.faultsOf(withKeys(keys)))).toEqual([
      'downstreams.graph.tls: found a map of keys; allowed: nothing, because there is no baseUrl',
    ]);
  });
});

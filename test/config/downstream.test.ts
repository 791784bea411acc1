import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { makeAuthority, type CertificateAuthority } from '../support/tls-certificates.ts';
import { ENV, linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const PROXY = 'http://user:hunter3@proxy.example:3128';

describe('the proxy of a downstream', () => {
  it.each([
    ['its own', PROXY, {}, PROXY],
    ['its own before that of the environment', PROXY, { HTTPS_PROXY: 'http://other.example' }, PROXY],
    ['that of the environment', undefined, { HTTPS_PROXY: PROXY }, PROXY],
    ['none, if it says so', 'none', { HTTPS_PROXY: PROXY }, undefined],
    ['none, if the environment exempts it', undefined, { HTTPS_PROXY: PROXY, NO_PROXY: '.microsoft.com' }, undefined],
    ['none, without either', undefined, {}, undefined],
  ])('is %s', async (_what, proxy, env, found) => {
    const { downstreams } = await folder.load(withKeys({ 'downstreams.graph.proxy': proxy }), { ...ENV, ...env });
    expect(downstreams['graph']?.proxy).toBe(found);
  });

  it('is none for a loopback address, whoever says so', async () => {
    const keys = { 'downstreams.graph.baseUrl': 'http://localhost:8082', 'downstreams.graph.proxy': PROXY };
    const { downstreams } = await folder.load(withKeys(keys), { ...ENV, HTTP_PROXY: PROXY });
    expect(downstreams['graph']).not.toHaveProperty('proxy');
  });

  it('must be one that can be used, and its password is not shown', async () => {
    const faults = linesOf(
      await folder.faultsOf(withKeys({ 'downstreams.graph.proxy': 'socks5://user:hunter3@proxy' })),
    );
    expect(faults).toEqual([
      "downstreams.graph.proxy: found a value (not shown); allowed: the address of a proxy, such as http://user:password@proxy.contoso.com:3128, or 'none'",
    ]);
  });

  it('is told once where it is empty', async () => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'downstreams.graph.proxy': '' })))).toHaveLength(1);
  });

  it('must be one that can be used, also in the environment', async () => {
    const env = { ...ENV, HTTPS_PROXY: 'socks5://user:hunter3@proxy' };
    expect(linesOf(await folder.faultsOf(withKeys({}), env))).toEqual([
      "downstreams.graph.proxy: found HTTPS_PROXY, which is no http or https address of a proxy; allowed: another proxy, or 'none'",
    ]);
  });
});

describe('the TLS of a downstream', () => {
  it('is nothing for http', async () => {
    const keys = { 'downstreams.graph.baseUrl': 'http://graph.internal', 'downstreams.graph.tls': { serverName: 'g' } };
    expect(linesOf(await folder.faultsOf(withKeys(keys)))).toEqual([
      'downstreams.graph.tls: found a map of keys; allowed: nothing, because baseUrl is http',
    ]);
  });

  it.each(['missing.pem', 'text.pem', '.'])('names files that cannot be used: %s', async (file) => {
    await folder.write('text.pem', 'no certificate\n');
    const tls = { ca: file, cert: file, key: file };
    const why = file === 'missing.pem' ? 'which does not exist' : 'which cannot be used';
    expect(linesOf(await folder.faultsOf(withKeys({ 'downstreams.graph.tls': tls })))).toEqual(
      ['ca', 'cert', 'key'].map(
        (key) => `downstreams.graph.tls.${key}: found ${join(folder.path, file)}, ${why}; allowed: a readable PEM file`,
      ),
    );
  });

  it('says nothing twice of a variable that is not set', async () => {
    const faults = await folder.faultsOf(withKeys({ 'downstreams.graph.tls': { ca: '${CA_FILE}' } }));
    expect(faults.map(({ at }) => at)).toEqual(['downstreams.graph.tls.ca']);
  });
});

const made = makeAuthority(folder.path, 'ca');

(made ? describe : describe.skip)('the certificates of a downstream (made with openssl)', () => {
  const authority = made as CertificateAuthority;

  it('are read, relative to gateway.yaml', async () => {
    authority.issue('gateway');
    const tls = { ca: 'ca.pem', cert: 'ca-gateway.pem', key: './ca-gateway.key', serverName: 'graph.internal' };
    const { downstreams } = await folder.load(withKeys({ 'downstreams.graph.tls': tls }));
    const path = (file: string): string => join(folder.path, file);
    expect(downstreams['graph']?.tls).toEqual({
      ca: path('ca.pem'),
      cert: path('ca-gateway.pem'),
      key: path('ca-gateway.key'),
      serverName: 'graph.internal',
    });
  });

  it.each([
    [{ cert: 'ca.pem', key: 'ca-gateway.key' }, 'key: does not belong to the certificate'],
    [{ cert: 'ca.pem' }, 'key: found nothing; allowed: a PEM file, because there is a cert'],
    [{ key: 'ca.key' }, 'cert: found nothing; allowed: a PEM file, because there is a key'],
  ])('%j do not do', async (tls, fault) => {
    authority.issue('gateway');
    expect(linesOf(await folder.faultsOf(withKeys({ 'downstreams.graph.tls': tls })))).toEqual([
      `downstreams.graph.tls.${fault}`,
    ]);
  });
});

describe('the largest head of a downstream', () => {
  it.each(['0b', '1023b', '1025kb', '4gb'])('is not %s', async (size) => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'downstreams.graph.headLimit': size })))).toEqual([
      `downstreams.graph.headLimit: found "${size}"; allowed: a size from 1kb to 1mb, such as 64kb`,
    ]);
  });
});

describe('the server name of a downstream', () => {
  it.each(['', 'a b', 'https://graph.internal', 'graph.internal:443', 'a\nb'])('is not %j', async (serverName) => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'downstreams.graph.tls': { serverName } })))).toEqual([
      `downstreams.graph.tls.serverName: found ${JSON.stringify(serverName)}; allowed: a host name`,
    ]);
  });
});

describe('a fixed parameter of a downstream', () => {
  it('has a name', async () => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'downstreams.graph.query': { '': 'hunter3' } })))).toEqual([
      'downstreams.graph.query.: found this name; allowed: the name of a parameter',
    ]);
  });
});

describe('a secret in the wrong place is not shown', () => {
  it.each([
    ['downstreams.graph.headers', 'x-api-key: hunter3'],
    ['downstreams.graph.headers.set', { 'x-api-key: hunter3': 'a' }],
    ['downstreams.graph.baseUrl', 'https://graph.internal/?code=hunter3'],
    ['downstreams.graph.baseUrl', 'https://user:hun/hunter3@graph.internal'],
    ['server.publicUrl', 'https://api.contoso.com/?key=hunter3'],
  ])('%s: %j', async (key, value) => {
    const [fault = '', ...more] = linesOf(await folder.faultsOf(withKeys({ [key]: value })));
    expect([fault.startsWith(`${key}: found `), fault.includes('hunter3'), more]).toEqual([true, false, []]);
  });
});

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { namePublicUrl } from '../../src/config/fill-defaults.ts';
import { makeTestAuthority, selfSigned } from '../support/token-certificate.ts';
import { linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

const authority = makeTestAuthority('front');

beforeAll(async () => {
  const own = selfSigned('localhost');
  await folder.write('own.pem', own.cert);
  await folder.write('own.key', own.key);
  await folder.write('other.key', selfSigned('other').key);
  await folder.write('front.pem', authority.ca);
  await folder.write('two.pem', `# two authorities\n${authority.ca}${own.cert}`);
  await folder.write('half.pem', `${own.cert}${authority.ca.slice(0, 300)}`);
  await folder.write('text.pem', 'no certificate\n');
});

describe('server.tls', () => {
  it('is read, relative to gateway.yaml, and makes the default address https', async () => {
    const tls = { cert: 'own.pem', key: './own.key', clientCa: 'two.pem' };
    const { server } = await folder.load(withKeys({ 'server.tls': tls, 'server.host': '127.0.0.1' }));
    const path = (file: string): string => join(folder.path, file);
    expect(server.tls).toEqual({ cert: path('own.pem'), key: path('own.key'), clientCa: path('two.pem') });
    expect(namePublicUrl(server, 8443)).toBe('https://127.0.0.1:8443');
  });

  it.each([
    [{ cert: 'gone.pem' }, 'cert: found {}gone.pem, which does not exist; allowed: a readable PEM file'],
    [{ cert: 'text.pem' }, 'cert: found {}text.pem, which cannot be used; allowed: a readable PEM file'],
    [{ cert: 'half.pem' }, 'cert: found {}half.pem, which cannot be used; allowed: a readable PEM file'],
    [{ key: 'own.pem' }, 'key: found {}own.pem, which cannot be used; allowed: a readable PEM file'],
    [{ key: 'other.key' }, 'key: does not belong to the certificate'],
    [{ clientCa: 'gone.pem' }, 'clientCa: found {}gone.pem, which does not exist; allowed: a readable PEM file'],
    [{ clientCa: 'text.pem' }, 'clientCa: found {}text.pem, which cannot be used; allowed: a readable PEM file'],
    [{ clientCa: 'own.key' }, 'clientCa: found {}own.key, which cannot be used; allowed: a readable PEM file'],
    [{ clientCa: 'half.pem' }, 'clientCa: found {}half.pem, which cannot be used; allowed: a readable PEM file'],
  ])('is refused with %j', async (changes, fault) => {
    const tls = { cert: 'own.pem', key: 'own.key', ...changes };
    expect(linesOf(await folder.faultsOf(withKeys({ 'server.tls': tls })))).toEqual([
      `server.tls.${fault.replace('{}', join(folder.path, '/'))}`,
    ]);
  });

  it('says nothing twice of a variable that is not set', async () => {
    const faults = await folder.faultsOf(withKeys({ 'server.tls': { cert: '${CERT}', key: 'own.key' } }));
    expect(faults.map(({ at }) => at)).toEqual(['server.tls.cert']);
  });
});

describe('server.proxyProtocol', () => {
  it('is read', async () => {
    const { server } = await folder.load(
      withKeys({ 'server.proxyProtocol': 'v2', 'server.trustedProxies': ['10.0.0.0/8'] }),
    );
    expect(server.proxyProtocol).toBe('v2');
  });

  it.each([[undefined], [[]]])('needs somebody who may send it, not %j', async (trustedProxies) => {
    const yaml = withKeys({ 'server.proxyProtocol': 'v2', 'server.trustedProxies': trustedProxies });
    expect(linesOf(await folder.faultsOf(yaml))).toEqual([
      'server.trustedProxies: found nothing; allowed: at least one address or CIDR, because only these may send the PROXY protocol',
    ]);
  });
});

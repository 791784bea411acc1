import { afterAll, describe, expect, it } from '@jest/globals';
import { linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

describe('an unknown key', () => {
  it.each([
    ['sever', 'server'],
    ['server.prot', 'port'],
    ['server.publicURL', 'publicUrl'],
    ['server.cors.origin', 'origins'],
    ['server.management.hots', 'host'],
    ['identity.client_id', 'clientId'],
    ['identity.credential.secrets', 'secret'],
    ['downstreams.graph.baseURL', 'baseUrl'],
    ['downstreams.graph.timeout.conect', 'connect'],
    ['tokenCache.maxSesions', 'maxSessions'],
  ])('%s is answered with %s', async (path, nearest) => {
    const lines = linesOf(await folder.faultsOf(withKeys({ [path]: 'x' })));
    expect(lines).toContain(`${path}: is not a known key; did you mean ${nearest}?`);
  });

  it('inside the certificate is answered too', async () => {
    const certificate = { cert: 'a', key: 'b', kee: 'c' };
    const lines = linesOf(await folder.faultsOf(withKeys({ 'identity.credential': { certificate } })));
    expect(lines).toContain('identity.credential.certificate.kee: is not a known key; did you mean key?');
  });

  it('that is like no other still learns the nearest', async () => {
    const lines = linesOf(await folder.faultsOf(withKeys({ 'server.management.certificateAuthorities': 'x' })));
    expect(lines).toEqual([
      expect.stringMatching(
        /^server\.management\.certificateAuthorities: is not a known key; nearest known: (host|port)$/,
      ),
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('called %s is no exception', async (key) => {
    const yaml = `${withKeys({})}${key}: { a: 1 }\n`;
    expect(linesOf(await folder.faultsOf(yaml))).toEqual([expect.stringMatching(`^${key}: is not a known key`)]);
  });
});

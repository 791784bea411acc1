import { afterAll, describe, expect, it } from '@jest/globals';
import { ENV, linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

describe('${NAME}', () => {
  it('stands for the variable, several times in one value and anywhere in the file', async () => {
    const yaml = withKeys({
      'server.publicUrl': '${SCHEME}://${HOST}/${SCHEME}',
      'identity.audiences': ['api://${HOST}', '$HOST ${} ${1}'],
    });
    const { server, identity } = await folder.load(yaml, { ...ENV, SCHEME: 'https', HOST: 'a.example' });
    expect([server.publicUrl, identity.audiences]).toEqual([
      'https://a.example/https',
      ['api://a.example', '$HOST ${} ${1}'],
    ]);
  });

  it('may hold the digits of a port', async () => {
    const yaml = withKeys({ 'server.port': '${PORT}', 'tokenCache.maxSessions': '${MANY}' });
    const { server, tokenCache } = await folder.load(yaml, { ...ENV, PORT: '8443', MANY: '5' });
    expect([server.port, tokenCache.maxSessions]).toEqual([8443, 5]);
  });

  it('is replaced once: a value that looks like a reference stays as it is', async () => {
    const { identity } = await folder.load(withKeys({}), { GATEWAY_CLIENT_SECRET: '${HOME}$&', HOME: 'x' });
    expect(identity.credential.secret).toBe('${HOME}$&');
  });

  it.each(['a: b', '{ secret: x }', '[x]', 'x\nserver:\n  port: 1', '# x', '*x', '!!null', '"', 'true', '~', '5'])(
    'cannot change the structure of the file with %j',
    async (value) => {
      const { identity, server } = await folder.load(withKeys({}), { GATEWAY_CLIENT_SECRET: value });
      expect([identity.credential, server.port]).toEqual([{ secret: value }, 8080]);
    },
  );
});

describe('a variable that is not set', () => {
  it.each<[key: string, written: unknown, at: string]>([
    ['contract', '${NOT_SET}', 'contract'],
    ['server.port', '${NOT_SET}', 'server.port'],
    ['server.publicUrl', 'https://${NOT_SET}/', 'server.publicUrl'],
    ['identity.audiences', ['a', '${NOT_SET}'], 'identity.audiences[1]'],
    ['identity.credential.secret', '${NOT_SET}', 'identity.credential.secret'],
    ['downstreams.graph.scopes', ['${NOT_SET}'], 'downstreams.graph.scopes[0]'],
  ])('is named once, with the key %s', async (key, written, at) => {
    expect(linesOf(await folder.faultsOf(withKeys({ [key]: written })))).toEqual([
      `${at}: the environment variable NOT_SET is not set`,
    ]);
  });

  it('is named once in the path of a certificate', async () => {
    const certificate = { cert: '${NOT_SET}', key: '${NOT_SET_EITHER}' };
    expect(linesOf(await folder.faultsOf(withKeys({ 'identity.credential': { certificate } })))).toEqual([
      'identity.credential.certificate.cert: the environment variable NOT_SET is not set',
      'identity.credential.certificate.key: the environment variable NOT_SET_EITHER is not set',
    ]);
  });

  it('is named for each of several', async () => {
    const yaml = withKeys({ 'server.publicUrl': 'https://${ONE}/${TWO}' });
    expect(linesOf(await folder.faultsOf(yaml, {}))).toEqual([
      'identity.credential.secret: the environment variable GATEWAY_CLIENT_SECRET is not set',
      'server.publicUrl: the environment variable ONE is not set',
      'server.publicUrl: the environment variable TWO is not set',
    ]);
  });

  it('differs from one that is empty, whose key is refused by what it says', async () => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'server.port': '${EMPTY}' }), { ...ENV, EMPTY: '' }))).toEqual([
      'server.port: found "${EMPTY}"; allowed: a whole number from 0 to 65535',
    ]);
  });
});

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());
await folder.write('good', 'hunter2\n');
await folder.write('empty', '\n');
await mkdir(join(folder.path, 'folder'));

const HOLDS_IT = 'allowed: a readable file that holds it as text of one line';
const OBJECT_ID = 'a62d8a2a-0000-4000-8000-000000000001';
const SENTINELS = 'redis+sentinel://a:26379/mymaster';

function withSecretFile(secretFile: string): string {
  return withKeys({ 'identity.credential': { secretFile } });
}

function withRedis(redis: object): string {
  return withKeys({ tokenCache: { redis } });
}

describe('files with secrets', () => {
  it('are named relative to gateway.yaml', async () => {
    const { identity } = await folder.load(withSecretFile('./good'));
    expect(identity.credential).toEqual({ secretFile: join(folder.path, 'good') });
  });

  it('are named for Redis, too, where user and password are not in its address', async () => {
    const files = { userFile: 'good', passwordFile: 'good', sentinelUserFile: 'good', sentinelPasswordFile: 'good' };
    const { tokenCache } = await folder.load(withRedis({ url: SENTINELS, ...files }));
    expect(tokenCache.redis).toMatchObject({
      username: undefined,
      password: undefined,
      loginFiles: Object.fromEntries(Object.keys(files).map((key) => [key, join(folder.path, 'good')])),
    });
  });

  it.each([
    ['missing', 'the file cannot be read (ENOENT)'],
    ['empty', 'the file is empty'],
    ['folder', 'it is not a file'],
  ])('are a fault that names the key when they cannot be used: %s', async (file, fault) => {
    const redis = { url: 'redis://cache', passwordFile: file };
    const faults = [...(await folder.faultsOf(withSecretFile(file))), ...(await folder.faultsOf(withRedis(redis)))];
    expect(linesOf(faults)).toEqual([
      `identity.credential.secretFile: ${fault}; ${HOLDS_IT}`,
      `tokenCache.redis.passwordFile: ${fault}; ${HOLDS_IT}`,
    ]);
  });

  it('are not looked for while a variable in their path is not set', async () => {
    expect(linesOf(await folder.faultsOf(withSecretFile('${NOT_SET}')))).toEqual([
      'identity.credential.secretFile: the environment variable NOT_SET is not set',
    ]);
  });
});

describe('the login for Redis', () => {
  const url =
    'tokenCache.redis.url: found a value (not shown); allowed: a password with the user, here or in passwordFile; without a user: redis://:password@host';

  it.each<[string, object, string | undefined]>([
    ['a password in a file', { url: 'redis://cache', passwordFile: 'good' }, undefined],
    ['a user in the address, its password in a file', { url: 'redis://me@cache', passwordFile: 'good' }, undefined],
    ['both in files', { url: 'redis://cache', userFile: 'good', passwordFile: 'good' }, undefined],
    ['a user in a file, the password in the address', { url: 'redis://:s3cr3t@cache', userFile: 'good' }, undefined],
    ['a user alone', { url: 'redis://s3cr3t@cache' }, url],
    ['a user alone in a file', { url: 'redis://cache', userFile: 'good' }, url],
    ['a user alone at a socket', { url: 'redis+unix:///run/redis.sock?username=s3cr3t' }, url],
    [
      'two passwords',
      { url: 'redis://:s3cr3t@cache', passwordFile: 'good' },
      'tokenCache.redis.passwordFile: found a value (not shown); allowed: nothing, because tokenCache.redis.url says it, too',
    ],
    [
      'two users',
      { url: 'redis://me:s3cr3t@cache', userFile: 'good' },
      'tokenCache.redis.userFile: found a value (not shown); allowed: nothing, because tokenCache.redis.url says it, too',
    ],
    [
      'two passwords of Sentinels',
      { url: `${SENTINELS}?sentinelPassword=s3cr3t`, sentinelPasswordFile: 'good' },
      'tokenCache.redis.sentinelPasswordFile: found a value (not shown); allowed: nothing, because tokenCache.redis.url says it, too',
    ],
    [
      'a password of Sentinels without Sentinels',
      { url: 'redis://cache', sentinelPasswordFile: 'good' },
      'tokenCache.redis.sentinelPasswordFile: found a value (not shown); allowed: nothing, because tokenCache.redis.url names no Sentinels (redis+sentinel://)',
    ],
    ['a token of Entra over TLS', { url: 'rediss://cache', entra: {} }, undefined],
    ['a token of Entra on this machine', { url: 'redis+cluster://127.0.0.1', entra: {} }, undefined],
    ['a token of Entra of a named identity', { url: 'rediss://cache', entra: { objectId: OBJECT_ID } }, undefined],
    [
      'a token of Entra in clear',
      { url: 'redis://cache', entra: {} },
      'tokenCache.redis.url: found a value (not shown); allowed: rediss:// with tokenCache.redis.entra, because the token would travel in clear',
    ],
    [
      'a token of Entra beside a password',
      { url: 'rediss://:s3cr3t@cache', entra: {} },
      'tokenCache.redis.entra: found a map of keys; allowed: nothing beside a user or a password, here, in files or in tokenCache.redis.url',
    ],
    [
      'a token of Entra beside a password in a file',
      { url: 'rediss://cache', passwordFile: 'good', entra: {} },
      'tokenCache.redis.entra: found a map of keys; allowed: nothing beside a user or a password, here, in files or in tokenCache.redis.url',
    ],
    [
      'a token of Entra with Sentinels',
      { url: 'rediss+sentinel://a:26379/mymaster', entra: {} },
      'tokenCache.redis.entra: found a map of keys; allowed: nothing with Sentinels, which Azure does not have',
    ],
  ])('is plain: %s', async (_what, redis, fault) => {
    const yaml = withRedis(redis);
    const faults = fault === undefined ? [] : await folder.faultsOf(yaml);
    expect(linesOf(faults)).toEqual(fault === undefined ? [] : [fault]);
    if (fault === undefined) {
      await folder.load(yaml);
    }
  });
});

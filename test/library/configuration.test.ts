import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createObo } from '../../src/index.ts';

const folder = await mkdtemp(join(tmpdir(), 'obo-config-'));
afterAll(() => rm(folder, { recursive: true }));

const identity = {
  authority: 'http://127.0.0.1:9',
  tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47',
  clientId: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
};

/** Makes an instance and ends it; what was wrong, if anything. */
async function tryOut(config: string | object, env: Record<string, string> = {}): Promise<string> {
  try {
    const obo = await createObo({ config, env });
    await obo.close();
    return 'fine';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Writes a gateway.yaml; JSON is YAML. */
async function writeConfig(name: string, config: object): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(config));
  return file;
}

describe('a configuration', () => {
  it('needs neither contract nor server nor the addresses of downstreams', async () => {
    const config = {
      identity: { ...identity, credential: { secret: 's' } },
      downstreams: { graph: { scopes: ['User.Read'] } },
    };
    expect(await tryOut(config)).toBe('fine');
    expect(await tryOut(await writeConfig('small.yaml', config))).toBe('fine');
  });

  it('in a file names other files relative to itself', async () => {
    await writeFile(join(folder, 'secret'), 'of the application');
    const config = { identity: { ...identity, credential: { secretFile: './secret' } }, downstreams: {} };
    expect(await tryOut(await writeConfig('secret.yaml', config))).toBe('fine');
    expect(await tryOut(config)).toContain('identity.credential.secretFile');
  });

  it('takes the environment that it is given', async () => {
    const config = { identity: { ...identity, credential: { secret: '${APP_SECRET}' } }, downstreams: {} };
    expect(await tryOut(config, { APP_SECRET: 's' })).toBe('fine');
    expect(await tryOut(config)).toBe('identity.credential.secret: the environment variable APP_SECRET is not set');
  });

  it.each([
    { what: 'nothing', config: {}, says: 'identity: found nothing; allowed: a map of keys' },
    { what: 'no map', config: [], says: 'gateway.yaml: found a list of 0; allowed: a map of keys' },
    {
      what: 'an unknown key',
      config: { identity: { ...identity, credential: { secret: 's' } }, downstream: {}, downstreams: {} },
      says: 'downstream: is not a known key; did you mean downstreams?',
    },
    {
      what: 'a contract that is not there',
      config: { contract: './nowhere.yaml', identity: { ...identity, credential: { secret: 's' } }, downstreams: {} },
      says: 'nowhere.yaml cannot be read (ENOENT)',
    },
  ])('of $what is refused in the words of the gateway', async ({ config, says }) => {
    expect(await tryOut(config)).toContain(says);
  });
});

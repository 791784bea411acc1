import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ConfigFiles } from '../../src/config/config-files.ts';
import { keepUntilRestart, listReloadable, RELOADING } from '../../src/config/reloading.ts';
import type { ConfigError } from '../../src/failures.ts';
import { startReloadWorld, type ReloadWorld } from '../support/reload-world.ts';

const configuration = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** The keys of the tables of docs/configuration.md, which another test compares with the schema; true for marked ones. */
const documented = [...configuration.matchAll(/^\| `([^`]+)` *\|.*$/gm)].map(
  ([row, key = '']) => [key, row.includes('↻')] as const,
);

/** The rows of the table that a key belongs to. */
function rowsOf(key: string): string[] {
  return Object.keys(RELOADING).filter(
    (row) => key === row || [`${row}.`, `${row}[`].some((start) => key.startsWith(start)),
  );
}

describe('the table of what a reload changes', () => {
  it.each(documented)('decides %s once, as docs/configuration.md marks it', (key, isMarked) => {
    const rows = rowsOf(key);
    expect([rows.length, rows.map((row) => RELOADING[row])]).toEqual([1, [isMarked ? 'restart' : 'at once']]);
  });

  it('has no row that no key belongs to', () => {
    const used = new Set(documented.flatMap(([key]) => rowsOf(key)));
    expect(Object.keys(RELOADING).filter((row) => !used.has(row))).toEqual([]);
  });
});

describe('what needs a restart', () => {
  it.each<[object, object, unknown]>([
    [{ server: { port: 1, bodyLimit: '2mb' } }, { server: { port: 2 } }, { server: { port: 2, bodyLimit: '2mb' } }],
    [{ server: { port: 1 } }, {}, { server: {} }],
    [{}, { server: { port: 2 } }, { server: { port: 2 } }],
    [
      { tokenCache: { maxSessions: 5 } },
      { tokenCache: { redis: { url: 'u' } } },
      { tokenCache: { redis: { url: 'u' } } },
    ],
    [
      { identity: { credential: { secretFile: 'f' }, audiences: ['a'] } },
      { identity: { credential: { secret: 's' }, audiences: ['b'] } },
      { identity: { credential: { secret: 's' }, audiences: ['a'] } },
    ],
    [{ authorizationService: { callers: ['a'] } }, {}, {}],
    [{}, { authorizationService: {} }, { authorizationService: {} }],
    [
      { authorizationService: { port: 1, callers: ['a'] } },
      { authorizationService: { port: 2 } },
      { authorizationService: { port: 2, callers: ['a'] } },
    ],
  ])('of %j with %j is %j', (tree, running, kept) => {
    expect(keepUntilRestart(tree, running)).toEqual(kept);
  });
});

describe('files that are loaded again', () => {
  let world: ReloadWorld;
  beforeAll(async () => {
    world = await startReloadWorld();
  });
  afterAll(() => world.close());

  it('have what needs a restart as it was, and what follows from it', async () => {
    await world.write();
    const files = new ConfigFiles(world.file, world.env);
    const started = await files.load();
    await world.write({
      identity: { clientId: '00000000-0000-0000-0000-000000000001' },
      tokenCache: { maxSessions: 7 },
    });
    const { config, needRestart } = await files.reload();
    expect(needRestart).toEqual(['identity.clientId', 'tokenCache']);
    expect([config.identity, config.tokenCache]).toEqual([started.identity, started.tokenCache]);
  });

  it('keep the number of sessions that the memory was divided for when a downstream comes', async () => {
    await world.write();
    const files = new ConfigFiles(world.file, world.env, { bytes: 128 * 1_024 ** 2, setBy: 'cgroup' });
    const started = await files.load();
    await world.write({
      downstreams: { third: { baseUrl: 'https://third.example', scopes: ['https://third.example/Read'] } },
    });
    const { config, needRestart } = await files.reload();
    expect(needRestart).toEqual([]);
    expect(listReloadable(started, config)).toEqual(['downstreams.third']);
  });

  it('tell a default that is written down from one that is not, where that ends streams', async () => {
    await world.write({ api: { timeout: { response: '30s' } } });
    const files = new ConfigFiles(world.file, world.env);
    const started = await files.load();
    await world.write({ api: { timeout: { idle: '60s' } } });
    const { config } = await files.reload();
    expect(config.downstreams['api']?.timeout).toEqual({ ...started.downstreams['api']?.timeout, isIdleSet: true });
    expect(listReloadable(started, config)).toEqual(['downstreams.api.timeout.idle']);
  });

  it('are refused where they mean nothing together with what needs a restart', async () => {
    await world.write({
      identity: { tenant: 'organizations', allowedTenants: ['72f988bf-86f1-41af-91ab-2d7cd011db47'] },
    });
    const files = new ConfigFiles(world.file, world.env);
    await files.load();
    await world.write();
    const refusal = await files.reload().catch((error: unknown) => error);
    expect((refusal as ConfigError).faults).toEqual([
      {
        at: 'identity.allowedTenants',
        message: expect.stringMatching(/at least one tenant id.*only a restart can change identity\.tenant$/),
      },
    ]);
  });

  it('name every file that was read or looked for', async () => {
    await world.write({ paths: { '/parts': { $ref: './missing.yaml' } } });
    const files = new ConfigFiles(world.file, world.env);
    await files.load().catch(() => undefined);
    expect(files.paths.map((path) => path.slice(world.folder.length + 1))).toEqual([
      'gateway.yaml',
      'openapi.yaml',
      'missing.yaml',
    ]);
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, jest } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { untilListening, untilReady } from '../support/command-program.ts';
import { startCommandWorld } from '../support/command-world.ts';

// Whole programs start here.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const { program, env, writeConfig, bearer } = world;
const folder = mkdtempSync(join(tmpdir(), 'scripts-'));
const loaded = await listLoadedFiles();

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

it.each([
  ['undici', 'undici/lib/dispatcher/pool.js', 'undici/index.js'],
  ['axios', 'axios/dist/node/axios.cjs', 'axios/index.js'],
  ['MSAL', '@azure/msal-node/lib/msal-node.cjs', '@azure/msal-node/dist/index.mjs'],
])('loads of %s only what starts fast', (_name, fast, slow) => {
  expect([loaded.includes(`/node_modules/${fast}"`), loaded.includes(`/node_modules/${slow}"`)]).toEqual([true, false]);
});

/** Serves one call, and gives the list of every script that the process ran, which it writes at its end. */
async function listLoadedFiles(): Promise<string> {
  const config = await writeConfig('gateway.yaml', { port: await findFreePort() });
  const run = program.start(['serve', '--config', config], { ...env, NODE_V8_COVERAGE: folder });
  const { url, managementUrl } = await untilListening(run);
  await untilReady(managementUrl);
  await fetch(`${url}/me`, { headers: bearer() });
  run.process.kill('SIGTERM');
  await run.ended;
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

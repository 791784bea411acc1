import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import { describeWith } from '../../support/installed-program.ts';

const PACKAGES = fileURLToPath(new URL('../node_modules', import.meta.url));
const SUITE = join(PACKAGES, '@modelcontextprotocol/conformance', 'dist/index.js');

/** What takes longer has hung. */
const PATIENCE_MS = 180_000;

/** The suite needs Node 22; the gate runs it with the Node of the image. */
const CAN_RUN = Number(process.versions.node.split('.')[0]) >= 22;

/** A check of the suite. */
export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
}

/** A `describe` for tests of the suite: without it they are skipped by name, but fail where CI is set. */
export function describeWithSuite(name: string, tests: () => void): void {
  if (CAN_RUN) {
    describeWith('npm ci --prefix test/tools --ignore-scripts', existsSync(SUITE), name, tests);
  } else {
    describe.skip(`${name} (needs Node 22)`, tests);
  }
}

/**
 * Runs the suite for servers at an address, every scenario or one.
 *
 * @returns its checks, in the order of the scenarios' names
 * @throws {Error} when it cannot be run; checks that fail are no error
 */
export async function runSuite(url: string, { scenario }: { scenario?: string } = {}): Promise<Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-conformance-'));
  try {
    const which = scenario === undefined ? ['--suite', 'all'] : ['--scenario', scenario];
    const output = await run([SUITE, 'server', '--url', url, ...which, '--timeout', '60000', '-o', folder], folder);
    const checks = await readChecks(folder);
    if (checks.length === 0) {
      throw new Error(`The suite found nothing to check: ${output}`);
    }
    return checks;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function run(args: readonly string[], folder: string): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  await once(child, 'close');
  return output;
}

/** Each scenario has left a folder that is named after it and the time. */
async function readChecks(folder: string): Promise<Check[]> {
  const names = (await readdir(folder)).toSorted();
  const checks = await Promise.all(
    names.map(async (name) => {
      const [, scenario = ''] = /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(name) ?? [];
      const list = JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')) as Check[];
      return list.map(({ id, status }) => ({ scenario, id, status }));
    }),
  );
  return checks.flat();
}

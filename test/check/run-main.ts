import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a command line in a process of its own, because Node reads NODE_EXTRA_CA_CERTS only when it starts. */
export function runMain(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env } };
    execFile(process.execPath, ['--import', 'tsx', main, ...argv], options, (_error, stdout) => resolve(stdout));
  });
}

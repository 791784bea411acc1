import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What stands in a copy of `dist/` for the modules that know how a request is traced. */
const STAND_INS = {
  'trace-steps.js': 'export const traceSteps = (steps) => steps;\n',
  'telemetry/otlp/request-spans.js': 'export const createRequestSpans = () => undefined;\n',
} as const;

/**
 * Copies the compiled gateway without the code that traces requests; the rest of it loads only where traces are sent.
 *
 * @returns its main module
 */
export async function makeUntracedBuild(folder: string): Promise<string> {
  const own = join(folder, 'untraced');
  await mkdir(own);
  await cp(join(ROOT, 'dist'), join(own, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(own, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(own, 'node_modules'));
  for (const [file, text] of Object.entries(STAND_INS)) {
    await writeFile(join(own, 'dist', file), text);
  }
  return join(own, 'dist', 'main.js');
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { format } from 'prettier';

const FOLDER = fileURLToPath(new URL('reference/', import.meta.url));

/** Installs what renders the reference, which is a package of its own. */
export const INSTALL_REFERENCE = 'npm ci --prefix dev/docs/reference --ignore-scripts';

const HEAD = `# Reference of the library

Made by \`npm run docs\` from the comments of the exports; [the guide](../library.md) says what to do with them.
`;

/** True when what renders the reference is installed. */
export function canRenderReference(): boolean {
  return existsSync(join(FOLDER, 'node_modules'));
}

/** Renders docs/library/reference.md from the doc comments of what the package exports for applications. */
export async function makeLibraryReference(): Promise<string> {
  const output = await mkdtemp(join(tmpdir(), 'reference-'));
  try {
    await promisify(execFile)(process.execPath, [join(FOLDER, 'render.js'), output], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const rendered = await readFile(join(output, 'reference.md'), 'utf8');
    return await format(rendered.replace(/^# .*\n/, HEAD), { parser: 'markdown', printWidth: 120, singleQuote: true });
  } finally {
    await rm(output, { recursive: true });
  }
}

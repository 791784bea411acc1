import { readFileSync, writeFileSync } from 'node:fs';
import { refreshCodeBlocks } from './docs/code-blocks.ts';

/** Brings the code of docs/clients.md up to date with examples/ (`npm run docs`). */
function main(): void {
  writeFileSync(new URL('../docs/clients.md', import.meta.url), refreshCodeBlocks(read('docs/clients.md'), read));
}

function read(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}

main();

import { writeFileSync } from 'node:fs';
import { makeOutsideDocument } from './docs/outside-document.ts';

/** Writes docs/outside.txt from the tables of the program and of docs/ (`npm run docs`). */
async function main(): Promise<void> {
  writeFileSync(new URL('../docs/outside.txt', import.meta.url), await makeOutsideDocument());
}

await main();

import { readFileSync, writeFileSync } from 'node:fs';
import { refreshSwitchTables } from './docs/switch-tables.ts';

/** Brings what docs/playground.md says of the switches up to date with them (`npm run docs`). */
async function main(): Promise<void> {
  const file = new URL('../docs/playground.md', import.meta.url);
  writeFileSync(file, await refreshSwitchTables(readFileSync(file, 'utf8')));
}

await main();

import { mkdirSync, writeFileSync } from 'node:fs';
import { canRenderReference, INSTALL_REFERENCE, makeLibraryReference } from './docs/library-reference.ts';

/** Writes docs/library/reference.md (`npm run docs`), where what renders it is installed. */
async function main(): Promise<void> {
  if (!canRenderReference()) {
    console.error(`docs/library/reference.md stays as it is. What renders it comes with: ${INSTALL_REFERENCE}`);
    return;
  }
  const reference = await makeLibraryReference();
  mkdirSync(new URL('../docs/library/', import.meta.url), { recursive: true });
  writeFileSync(new URL('../docs/library/reference.md', import.meta.url), reference);
}

await main();

import { writeFileSync } from 'node:fs';
import { makeAnswersDocument } from './docs/answers-document.ts';

/** Writes docs/answers.md from the gateway's tables (`npm run docs`). */
async function main(): Promise<void> {
  writeFileSync(new URL('../docs/answers.md', import.meta.url), await makeAnswersDocument());
}

await main();

import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { toJsonSchema } from '../src/config/schema.ts';

/** Writes the JSON Schema of gateway.yaml, which editors complete from (`npm run schema`). */
async function main(): Promise<void> {
  const file = new URL('../gateway.schema.json', import.meta.url);
  writeFileSync(file, await format(JSON.stringify(toJsonSchema()), { parser: 'json', printWidth: 120 }));
}

await main();

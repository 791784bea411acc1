import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readDocument, type ContractDocument } from '../../src/contract/document/document.ts';
import type { ConfigFault } from '../../src/failures.ts';
import type { Node } from './documents.ts';

/** A document that was read from a folder, and what is wrong with it. */
export interface Read {
  readonly document: ContractDocument | undefined;
  readonly faults: readonly ConfigFault[];
  /** The faults as a terminal shows them, without the name of the folder. */
  readonly lines: readonly string[];
}

/** Writes files into a folder, runs what a test is about with it, and takes it away. */
export async function withFolder<T>(
  files: Readonly<Record<string, Node | string>>,
  run: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-document-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Reads `openapi.yaml`, which stands in a folder with other files. */
export function read(
  files: Readonly<Record<string, Node | string>>,
  serves?: Parameters<typeof readDocument>[2],
): Promise<Read> {
  return withFolder(files, async (folder) => {
    const faults: ConfigFault[] = [];
    const document = await readDocument(join(folder, 'openapi.yaml'), faults, serves);
    const lines = faults.map(({ at, message }) => `${at}: ${message.replaceAll(`${folder}/`, '')}`);
    return { document, faults, lines };
  });
}

/** A document as YAML, so that more can be written below it. */
export function yaml(document: Node): string {
  return Object.entries(document)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n');
}

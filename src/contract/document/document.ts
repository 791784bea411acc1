import { readFile } from 'node:fs/promises';
import type { ConfigFault } from '../../failures.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { bundle } from '../openapi/bundle.ts';
import { checkStructure } from '../openapi/check-structure.ts';
import { DocumentFiles, type OnRead } from '../openapi/document-files.ts';
import { createKeepServed, hasOperation, type Candidate } from '../openapi/keep-served.ts';
import { pruneComponents, type Dropped } from '../openapi/prune.ts';
import { readTree } from '../openapi/read-tree.ts';
import { structureOf } from '../openapi/structure.ts';
import { readVersion, type OpenApiVersion } from '../openapi/version.ts';
import { expandMcpServers } from './expand-mcp-servers.ts';
import { declareKnownSchemes } from './mcp-schemes.ts';

export type { OnRead, OpenApiVersion };

/** An OpenAPI document that was read and checked. */
export interface ContractDocument {
  /** Its path, for messages. */
  readonly file: string;
  readonly version: OpenApiVersion;
  /** The whole document; every `$ref` of it stays within it. */
  readonly root: JsonObject;
}

/**
 * Reads an OpenAPI document from a YAML or JSON file, and from the files that it refers to.
 *
 * @param faults gets what is wrong with it, each with its place
 * @param serves says of which operations the document is wanted; what only others use is left out, and its faults do not
 *   count. Default all
 * @param onRead called with the path of each file before it is read; default nothing
 * @returns `undefined` when anything is wrong
 */
export async function readDocument(
  file: string,
  faults: ConfigFault[],
  serves?: (candidate: Candidate) => boolean,
  onRead: OnRead = () => {},
): Promise<ContractDocument | undefined> {
  onRead(file);
  const main = await readMain(file);
  if ('problem' in main) {
    faults.push({ at: 'contract', message: main.problem });
    return undefined;
  }
  const before = faults.length;
  const listeners = {
    fault: (path: string, message: string) => faults.push({ at: `contract ${path}`, message }),
    serves,
  };
  // Before the files are joined, so that what is served of them is known; and after it, for path items of other files.
  const expanded = expandMcpServers(main.root, listeners);
  const bundled = await bundleServed(file, { ...main, root: expanded.root }, faults, { serves, onRead });
  const whole = expandMcpServers(bundled.root, listeners, expanded.servers);
  const root = declareKnownSchemes(whole.root, [...whole.servers.values()]);
  const { origins } = bundled;
  const document = { file, version: main.version, root };
  if (faults.length === before) {
    checkStructure({ ...document, origins }, faults);
  }
  return faults.length === before ? document : undefined;
}

interface Main {
  readonly version: OpenApiVersion;
  readonly root: JsonObject;
}

async function readMain(file: string): Promise<Main | { readonly problem: string }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { problem: `the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
  const reading = readTree(text);
  if ('problem' in reading) {
    return { problem: `${file}${reading.line === undefined ? '' : `:${reading.line}`} ${reading.problem}` };
  }
  const root = reading.tree;
  const version = readVersion(root);
  if (typeof version !== 'string') {
    return { problem: `${file} ${version.problem}` };
  }
  // What has a version is an object.
  return { version, root: root as JsonObject };
}

async function bundleServed(
  file: string,
  { version, root }: Main,
  faults: ConfigFault[],
  { serves, onRead }: { readonly serves: ((candidate: Candidate) => boolean) | undefined; readonly onRead: OnRead },
): Promise<{ readonly root: JsonObject; readonly origins: ReadonlyMap<string, string> }> {
  const structure = structureOf(version);
  if (serves === undefined) {
    return { root, origins: await bundle(new DocumentFiles(file, version, root, onRead), version, faults) };
  }
  const dropped: Dropped[] = [];
  const keepServed = createKeepServed(structure, serves, dropped);
  const wanted = mapPaths(root, (item, path) => keepServed(item, path));
  const files = new DocumentFiles(file, version, wanted, onRead);
  const origins = await bundle(files, version, faults, { keepServed, whole: root });
  const served = mapPaths(wanted, (item) => (hasOperation(structure, item) ? item : undefined));
  return { root: pruneComponents(served, structure, dropped), origins };
}

/** A document with other path items; `undefined` leaves one out. */
function mapPaths(root: JsonObject, change: (item: JsonObject, path: string) => JsonObject | undefined): JsonObject {
  const { paths } = root;
  if (!isJsonObject(paths)) {
    return root;
  }
  const items = Object.entries(paths).map(([path, item]) => [path, isJsonObject(item) ? change(item, path) : item]);
  return { ...root, paths: Object.fromEntries(items.filter(([, item]) => item !== undefined)) as JsonObject };
}

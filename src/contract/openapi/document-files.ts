import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isJsonObject } from '../../syntax/json.ts';
import { readFragment, resolvePointer } from './references.ts';
import { findAnchor } from './find-anchor.ts';
import { readTree } from './read-tree.ts';
import { readVersion, type OpenApiVersion } from './version.ts';

/** A file that was read. */
export interface SourceFile {
  /** As messages call it: relative to the folder of the contract. */
  readonly name: string;
  /** What its references are relative to: where it stands, or its `$self` (OpenAPI 3.2 §4.1.2.2.2). */
  readonly address: string;
  readonly tree: unknown;
}

/** What a reference leads to. */
export interface Target {
  readonly file: SourceFile;
  /** Decoded. */
  readonly pointer: string;
  readonly value: unknown;
}

/** Called with the path of a file before it is read. */
export type OnRead = (path: string) => void;

/** The files of one contract: the main one, and those of the same folder and below that references lead to. */
export class DocumentFiles {
  readonly main: SourceFile;
  readonly #version: OpenApiVersion;
  readonly #onRead: OnRead;
  readonly #folder: string;
  /** What the addresses of all files of the folder begin with. */
  readonly #folderAddress: string;
  readonly #byAddress = new Map<string, Promise<SourceFile>>();
  /** By their real paths, so that two names of one file are one. */
  readonly #byPath = new Map<string, Promise<SourceFile>>();

  constructor(path: string, version: OpenApiVersion, tree: unknown, onRead: OnRead) {
    this.#onRead = onRead;
    const file = resolve(path);
    this.#version = version;
    this.#folder = dirname(file);
    this.main = { name: relative(this.#folder, file), address: ownAddress(tree, pathToFileURL(file).href), tree };
    this.#folderAddress = new URL('.', this.main.address).href;
    this.#byAddress.set(this.main.address, Promise.resolve(this.main));
  }

  /**
   * Finds what a reference leads to.
   *
   * @throws {Error} when it leaves the folder, or when nothing that can be read is there
   */
  async find(reference: string, from: SourceFile): Promise<Target> {
    const address = addressOf(reference, from);
    const known = this.#byAddress.get(address) ?? this.#open(address, reference);
    this.#byAddress.set(address, known);
    const file = await known;
    const fragment = reference.split('#', 2)[1] ?? '';
    const named = /^[A-Za-z_]/.test(fragment) ? findAnchor(file.tree, fragment) : undefined;
    const pointer = named ?? readFragment(fragment, reference);
    return { file, pointer, value: resolvePointer(file.tree, pointer) };
  }

  async #open(address: string, reference: string): Promise<SourceFile> {
    const path = this.#toPath(address);
    if (path === undefined) {
      throw new Error(`the reference ${reference} leaves the document, and is no file in the folder of the contract`);
    }
    this.#onRead(path);
    let real: string;
    try {
      real = await realpath(path);
    } catch (error) {
      throw new Error(`the reference ${reference} leads to a file that cannot be read (${codeOf(error)})`, {
        cause: error,
      });
    }
    if (!real.startsWith(`${await realpath(this.#folder)}${sep}`)) {
      throw new Error(`the reference ${reference} leads out of the folder of the contract by a symbolic link`);
    }
    if (!(await stat(real)).isFile()) {
      // A read of a named pipe would wait for a writer, and the start with it.
      throw new Error(`the reference ${reference} leads to what is no file`);
    }
    const isMain = real === (await realpath(resolve(this.#folder, this.main.name)));
    const known = isMain ? Promise.resolve(this.main) : (this.#byPath.get(real) ?? this.#read(path, real, address));
    this.#byPath.set(real, known);
    return known;
  }

  #toPath(address: string): string | undefined {
    if (!address.startsWith(this.#folderAddress) || address.includes('?')) {
      return undefined;
    }
    try {
      // Refuses an encoded slash, which would lead out of the folder.
      return fileURLToPath(`${pathToFileURL(this.#folder).href}/${address.slice(this.#folderAddress.length)}`);
    } catch {
      return undefined;
    }
  }

  async #read(path: string, real: string, address: string): Promise<SourceFile> {
    const name = relative(this.#folder, path);
    let text: string;
    try {
      text = await readFile(real, 'utf8');
    } catch (error) {
      throw new Error(`the file ${name} cannot be read (${codeOf(error)})`, { cause: error });
    }
    const reading = readTree(text);
    if ('problem' in reading) {
      throw new Error(`the file ${name}${reading.line === undefined ? '' : `:${reading.line}`} ${reading.problem}`);
    }
    const { tree } = reading;
    refuseSettings(name, tree);
    this.#refuseOtherVersion(name, tree);
    return { name, address: ownAddress(tree, address), tree };
  }

  /** A whole document of 3.0 means other things than one of 3.1 by the same words. */
  #refuseOtherVersion(name: string, tree: unknown): void {
    if (!isJsonObject(tree) || (tree['openapi'] === undefined && tree['swagger'] === undefined)) {
      return;
    }
    const version = readVersion(tree);
    if (typeof version !== 'string') {
      throw new Error(`the file ${name} ${version.problem}`);
    }
    if ((version === '3.0') !== (this.#version === '3.0')) {
      throw new Error(`the file ${name} is OpenAPI ${version}, and the contract is ${this.#version}`);
    }
  }
}

/** What a document refers to is published, and a gateway.yaml in its folder may hold secrets. @throws {Error} */
function refuseSettings(name: string, tree: unknown): void {
  if (isJsonObject(tree) && tree['identity'] !== undefined && tree['downstreams'] !== undefined) {
    throw new Error(`the file ${name} is a gateway.yaml, of which nothing becomes a part of a contract`);
  }
}

/**
 * The address that a reference names, without its fragment.
 *
 * @throws {Error} when it is none
 */
export function addressOf(reference: string, from: SourceFile): string {
  const [address = ''] = reference.split('#', 1);
  if (address === '') {
    return from.address;
  }
  if (!URL.canParse(address, from.address)) {
    throw new Error(`the reference ${reference} is no address`);
  }
  return new URL(address, from.address).href;
}

/** Where a file stands, or what it says of itself, when that is something that others can be relative to. */
function ownAddress(tree: unknown, address: string): string {
  const self = isJsonObject(tree) && typeof tree['$self'] === 'string' ? tree['$self'].split('#', 1)[0] : undefined;
  const href = self !== undefined && URL.canParse(self, address) ? new URL(self, address).href : address;
  return URL.canParse('.', href) ? href : address;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

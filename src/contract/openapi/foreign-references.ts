import { isJsonObject } from '../../syntax/json.ts';
import type { SourceFile } from './document-files.ts';
import { fieldOf, visitParts } from './parts.ts';
import type { Kind, Structure } from './structure.ts';

/** An object of a tree that is changed where it stands. */
export type Node = Record<string, unknown>;

/** A place that refers to something else, and what is known of it. */
export interface Spot {
  readonly value: Node;
  /** `undefined` for a map of objects, which a reference can only stand for as a whole. */
  readonly kind: Kind | undefined;
  /** Where it stands in the bundled document. */
  readonly pointer: string;
  /** What its references are relative to. */
  readonly file: SourceFile;
  /** The address of the schema around it that has an `$id`, to which a reference is relative first. */
  readonly base?: string | undefined;
  /** Looks for references in what takes its place. */
  readonly scan: (value: Node, file: SourceFile) => void;
}

/** Its address, which needs no file (JSON Schema 2020-12 §8.1.1). */
const SCHEMA_OF_SCHEMAS = 'https://json-schema.org/draft/2020-12/schema';

/** Keys that may stand beside the `$ref` of a path item and change nothing of what is served. */
const BESIDE = new Set(['$ref', 'summary', 'description']);

/** True for a key of a path item that counts beside a `$ref`. */
export function countsBeside(key: string): boolean {
  return !BESIDE.has(key) && !key.startsWith('x-');
}

/** True for the place of a component. */
export function isComponent(pointer: string): boolean {
  return pointer.startsWith('/components/') && pointer.split('/').length === 4;
}

/** Where objects of a kind stand below `components`; `undefined` where this version has no place for them. */
export function sectionOf(structure: Structure, kind: Kind | undefined): string | undefined {
  const { component } = kind === undefined ? {} : structure[kind];
  return component !== undefined && structure.components.fields.has(component) ? component : undefined;
}

/** The references of a document, and of the files that become a part of it, that must become others. */
export class ForeignReferences {
  /** The addresses that schemas give themselves, and that of the schema of schemas. */
  readonly ids = new Set<string>([SCHEMA_OF_SCHEMAS]);
  readonly #main: SourceFile;
  readonly #structure: Structure;
  readonly #isPartial: boolean;
  /** Objects of other files in which references were looked for. */
  readonly #scanned = new Set<object>();
  /** What is written out comes first, because it may hold the component that another reference leads to. */
  readonly #writeOuts: Spot[] = [];
  readonly #imports: Spot[] = [];

  /** @param isPartial true when only some operations stay, so that paths have items of their own, and what others hold moves */
  constructor(main: SourceFile, structure: Structure, isPartial: boolean) {
    this.#main = main;
    this.#structure = structure;
    this.#isPartial = isPartial;
  }

  /** The next place, and whether what it refers to is to be written in its place. */
  take(): { readonly spot: Spot; readonly isWriteOut: boolean } | undefined {
    const writeOut = this.#writeOuts.shift();
    const spot = writeOut ?? this.#imports.shift();
    return spot && { spot, isWriteOut: writeOut !== undefined };
  }

  /**
   * Looks for references in a part of a document.
   *
   * @param pointer where it stands in the bundled document
   * @param around the address of the schema around it that has an `$id`, if there is one
   */
  scan(value: unknown, kind: Kind, pointer: string, file: SourceFile, around?: string): void {
    if (!isJsonObject(value) || !this.#enter(value, file)) {
      return;
    }
    const base = this.#noteId(value, kind, around ?? file.address) ?? around;
    if (value['$ref'] !== undefined || kind === 'discriminator') {
      const scan: Spot['scan'] = (target, source) => {
        this.#scanFields(target, kind, pointer, source, this.#noteId(target, kind, source.address));
      };
      this.#queue({ value, kind, pointer, file, base, scan });
    }
    this.#scanFields(value, kind, pointer, file, base);
  }

  /** The address of a schema that gives itself one. */
  #noteId(value: Node, kind: Kind, base: string): string | undefined {
    const id = kind === 'schema' ? value['$id'] : undefined;
    if (typeof id !== 'string' || id.startsWith('#')) {
      return undefined;
    }
    const [address = ''] = URL.canParse(id, base) ? new URL(id, base).href.split('#', 1) : [];
    this.ids.add(address);
    return address;
  }

  /** A part of another file can be met twice, and its references must be read once. */
  #enter(value: object, file: SourceFile): boolean {
    if (file === this.#main) {
      return true;
    }
    const isNew = !this.#scanned.has(value);
    this.#scanned.add(value);
    return isNew;
  }

  #scanFields(value: Node, kind: Kind, pointer: string, file: SourceFile, base: string | undefined): void {
    const rule = this.#structure[kind];
    for (const key of Object.keys(value)) {
      const child = value[key];
      const isReference = isJsonObject(child) && typeof child['$ref'] === 'string' && base === undefined;
      if (isReference && fieldOf(rule, key)?.is === 'map') {
        const scan: Spot['scan'] = (target, source) =>
          this.#scanFields({ [key]: target }, kind, pointer, source, undefined);
        this.#queue({ value: child, kind: undefined, pointer: `${pointer}/${key}`, file, scan });
      }
    }
    visitParts(value, pointer, rule, (part) => this.scan(part.value, part.kind, part.pointer, file, base));
  }

  #queue(spot: Spot): void {
    const { value, kind, pointer, file } = spot;
    const reference = value['$ref'];
    if (spot.base !== undefined) {
      // Within it `#` means the schema itself.
      if (typeof reference === 'string' && !reference.startsWith('#')) {
        this.#imports.push(spot);
      }
    } else if (kind === 'discriminator') {
      this.#imports.push(spot);
    } else if (typeof reference === 'string') {
      const isGone = this.#isPartial && reference.startsWith('#/paths/');
      const isForeign = file !== this.#main || !reference.startsWith('#') || isGone;
      const isMixed = kind === 'path item' && (this.#isPartial || Object.keys(value).some(countsBeside));
      const isEntry = isComponent(pointer) && Object.keys(value).length === 1;
      if (isMixed || (isForeign && (isEntry || sectionOf(this.#structure, kind) === undefined))) {
        this.#writeOuts.push(spot);
      } else if (isForeign) {
        this.#imports.push(spot);
      }
    }
  }
}

import type { ConfigFault } from '../../failures.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { nameOrigin, nameUniquely } from './component-names.ts';
import { addressOf, type DocumentFiles, type SourceFile, type Target } from './document-files.ts';
import { countsBeside, ForeignReferences, isComponent, sectionOf, type Node, type Spot } from './foreign-references.ts';
import { resolvePointer } from './references.ts';
import { isBounded } from '../../syntax/is-bounded.ts';
import type { KeepServed } from './keep-served.ts';
import { namePlace } from './name-place.ts';
import { structureOf, type Kind, type Structure } from './structure.ts';
import type { OpenApiVersion } from './version.ts';

const MAX_HOPS = 32;

/** A document of which only some operations are served. */
export interface PartialDocument {
  readonly keepServed: KeepServed;
  /** All of it, in case something that stays refers to a part of something that does not. */
  readonly whole: JsonObject;
}

/**
 * Makes one document of several files: what references lead to becomes a component, or is written out where OpenAPI has
 * none of its kind, so that every `$ref` stays within the document. A path item with a `$ref` and more beside it is
 * written out too. Changes the trees of all files.
 *
 * @param faults gets the references that cannot be followed
 * @param partial what of the document is wanted; default all
 * @returns where the components came from
 */
export async function bundle(
  files: DocumentFiles,
  version: OpenApiVersion,
  faults: ConfigFault[],
  partial?: PartialDocument,
): Promise<ReadonlyMap<string, string>> {
  const bundler = new Bundler(files, version, faults, partial);
  await bundler.run();
  return bundler.origins;
}

class Bundler {
  readonly origins = new Map<string, string>();
  readonly #files: DocumentFiles;
  readonly #structure: Structure;
  readonly #references: ForeignReferences;
  readonly #faults: ConfigFault[];
  /** Where parts of other files stand now. */
  readonly #adopted = new Map<string, string>();
  /** The same of maps, whose members are found below. */
  readonly #maps = new Map<string, string>();
  readonly #partial: PartialDocument | undefined;

  constructor(
    files: DocumentFiles,
    version: OpenApiVersion,
    faults: ConfigFault[],
    partial: PartialDocument | undefined,
  ) {
    this.#partial = partial;
    this.#files = files;
    this.#structure = structureOf(version);
    this.#references = new ForeignReferences(files.main, this.#structure, partial !== undefined);
    this.#faults = faults;
  }

  async run(): Promise<void> {
    const { main } = this.#files;
    this.#references.scan(main.tree, 'document', '', main);
    let wroteOut = false;
    for (let next = this.#references.take(); next !== undefined; next = this.#references.take()) {
      wroteOut ||= next.isWriteOut;
      try {
        await (next.isWriteOut ? this.#writeOut(next.spot) : this.#import(next.spot));
      } catch (error) {
        this.#fault(next.spot, (error as Error).message);
      }
    }
    if (wroteOut && !isBounded(main.tree)) {
      this.#faults.push({
        at: namePlace(main.name, '', this.origins),
        message: 'has references to path items that go round in circles, for which it has no components',
      });
    }
  }

  async #import(spot: Spot): Promise<void> {
    const { value, kind, file, base } = spot;
    if (base !== undefined) {
      await this.#importNamed(String(value['$ref']), base, spot);
    } else if (kind === 'discriminator') {
      await this.#importMapping(value['mapping'], spot);
    } else if (typeof value['$ref'] === 'string' && !this.#isById(value['$ref'], spot)) {
      value['$ref'] = await this.#relocate(value['$ref'], kind ?? 'note', file);
    }
  }

  /**
   * What a schema with an `$id` refers to is what has the address that follows from that, but schemas with addresses may
   * stand in files side by side. What leads nowhere is found when schemas are compiled.
   */
  async #importNamed(reference: string, base: string, { value, file }: Spot): Promise<void> {
    const [address = ''] = URL.canParse(reference, base) ? new URL(reference, base).href.split('#', 1) : [];
    const other = await this.#files.find(reference.split('#', 1)[0] ?? '', file).catch(() => undefined);
    if (other === undefined || this.#references.ids.has(address)) {
      return;
    }
    const { $id } = isJsonObject(other.value) ? other.value : {};
    if (typeof $id === 'string' && addressOf($id, other.file) === address) {
      this.#adopt(other, 'schema', reference);
    } else {
      value['$ref'] = await this.#relocate(reference, 'schema', file);
    }
  }

  /** A value of a mapping is a name, or a reference that is written without `$ref` (OpenAPI 3.1 §4.8.25). */
  async #importMapping(mapping: unknown, { file }: Spot): Promise<void> {
    for (const [name, target] of Object.entries(isJsonObject(mapping) ? mapping : {})) {
      const isReference = typeof target === 'string' && /[#/]|\.(?:ya?ml|json)$/.test(target);
      if (isReference && (file !== this.#files.main || !target.startsWith('#'))) {
        (mapping as Node)[name] = await this.#relocate(target, 'schema', file).catch(() => target);
      }
    }
  }

  #isById(reference: string, { kind, file }: Spot): boolean {
    return kind === 'schema' && !reference.startsWith('#') && this.#references.ids.has(addressOf(reference, file));
  }

  /** The reference within the document that takes the place of another one. */
  async #relocate(reference: string, kind: Kind, from: SourceFile): Promise<string> {
    const target = await this.#files.find(reference, from);
    const isHere = target.file === this.#files.main;
    const value =
      isHere && target.value === undefined ? resolvePointer(this.#partial?.whole, target.pointer) : target.value;
    const stays = isHere && (target.value !== undefined || value === undefined);
    const pointer = stays
      ? target.pointer
      : (this.#findInMap(target) ?? this.#adopt({ ...target, value }, kind, reference));
    return `#${pointer.split('/').map(encodeURIComponent).join('/')}`;
  }

  /** Where the member of a map stands that was written out as a whole, such as a file of all schemas. */
  #findInMap(target: Target): string | undefined {
    const key = keyOf(target);
    for (const [map, place] of this.#maps) {
      const pointer = key.startsWith(`${map}/`) ? `${place}${key.slice(map.length)}` : undefined;
      // A member of the same name may stand beside the reference, and counts.
      if (pointer !== undefined && resolvePointer(this.#files.main.tree, pointer) === target.value) {
        return pointer;
      }
    }
    return undefined;
  }

  #adopt({ file, pointer, value }: Target, kind: Kind, reference: string): string {
    const known = this.#adopted.get(`${file.address}#${pointer}`);
    if (known !== undefined) {
      return known;
    }
    if (!isJsonObject(value) && !(kind === 'schema' && typeof value === 'boolean')) {
      throw new Error(`the reference ${reference} leads ${value === undefined ? 'nowhere' : 'to what is no object'}`);
    }
    const section = sectionOf(this.#structure, kind) ?? '';
    const components = childOf(this.#files.main.tree as Node, 'components');
    const taken = childOf(components, section);
    const name = nameUniquely(nameOrigin(file.name, pointer), taken);
    const place = `/components/${section}/${name}`;
    taken[name] = value;
    this.#adopted.set(`${file.address}#${pointer}`, place);
    this.origins.set(place, pointer === '' ? file.name : `${file.name}#${pointer}`);
    this.#references.scan(value, kind, place, file);
    return place;
  }

  /** Puts what a reference leads to in its place. */
  async #writeOut(spot: Spot): Promise<void> {
    const { value, kind, pointer, scan } = spot;
    if (kind === 'schema' && (await this.#mustStayReference(spot))) {
      await this.#import(spot);
      return;
    }
    const targets = await this.#followChain(spot);
    delete value['$ref'];
    for (const target of targets) {
      const members = kind === 'path item' ? this.#selectServed(target.value, pointer) : target.value;
      if (target.file !== this.#files.main) {
        if (isComponent(pointer) && !this.#adopted.has(keyOf(target))) {
          this.#adopted.set(keyOf(target), pointer);
        }
        if (kind === undefined || kind === 'components') {
          this.#maps.set(keyOf(target), pointer);
        }
        scan(members, target.file);
      }
      this.#merge(members, spot);
    }
  }

  /** What stands beside a `$ref` of a schema counts too, so that such a schema cannot take the place of another `$ref`. */
  async #mustStayReference(spot: Spot): Promise<boolean> {
    const reference = String(spot.value['$ref']);
    if (this.#isById(reference, spot)) {
      return true;
    }
    const { value } = await this.#files.find(reference, spot.file);
    return !isJsonObject(value) || value['$ref'] !== undefined;
  }

  #selectServed(item: Node, pointer: string): Node {
    const path = /^\/paths\/([^/]+)$/.exec(pointer)?.[1];
    return path === undefined || this.#partial === undefined
      ? item
      : this.#partial.keepServed(item, path.replaceAll('~1', '/').replaceAll('~0', '~'));
  }

  async #followChain({ value, file }: Spot): Promise<(Target & { readonly value: Node })[]> {
    const targets: (Target & { readonly value: Node })[] = [];
    let reference = value['$ref'];
    let from = file;
    while (typeof reference === 'string') {
      const target = await this.#files.find(reference, from);
      if (!isJsonObject(target.value)) {
        throw new Error(
          `the reference ${reference} leads ${target.value === undefined ? 'nowhere' : 'to what is no object'}`,
        );
      }
      if (targets.length === MAX_HOPS) {
        throw new Error(`the reference ${reference} goes round in circles`);
      }
      targets.push({ ...target, value: target.value });
      reference = target.value['$ref'];
      from = target.file;
    }
    return targets;
  }

  #merge(members: JsonObject, spot: Spot): void {
    for (const [key, member] of Object.entries(members)) {
      if (key === '$ref' || key === '__proto__') {
        continue;
      }
      if (!Object.hasOwn(spot.value, key)) {
        spot.value[key] = member;
      } else if (spot.kind === 'path item' && countsBeside(key)) {
        this.#fault(
          spot,
          `has ${key} both beside its $ref and where that leads; OpenAPI does not say which of them counts`,
        );
      }
    }
  }

  #fault({ pointer }: Spot, message: string): void {
    this.#faults.push({ at: namePlace(this.#files.main.name, pointer, this.origins), message });
  }
}

function keyOf({ file, pointer }: Target): string {
  return `${file.address}#${pointer}`;
}

/** A member that is an object, and is made where there is none. */
function childOf(parent: Node, key: string): Node {
  const child = parent[key] ?? {};
  if (!isJsonObject(child)) {
    throw new Error(`cannot become a part of ${key}, which is no object`);
  }
  parent[key] = child;
  return child;
}

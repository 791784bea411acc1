import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { resolvePointer } from './references.ts';
import { visitParts, type Part } from './parts.ts';
import type { Kind, Structure } from './structure.ts';

const COMPONENT = /^#\/components\/([^/]+)\/([^/]+)/;

/** A part that a document no longer has. */
export type Dropped = Pick<Part, 'value' | 'kind'>;

/**
 * A document without the components that only such parts used as it no longer has. What nobody ever used
 * stays, and so does every schema when one is referred to by another name than its pointer.
 */
export function pruneComponents(root: JsonObject, structure: Structure, dropped: readonly Dropped[]): JsonObject {
  const { components, ...rest } = root;
  if (!isJsonObject(components) || dropped.length === 0) {
    return root;
  }
  const once = new Reach(root, structure);
  dropped.forEach(({ value, kind }) => once.add(value, kind));
  const still = new Reach(root, structure);
  still.add(rest, 'document');
  for (const pointer of listComponents(components).filter((candidate) => !once.found.has(candidate))) {
    still.addComponent(pointer);
  }
  const isKept = (section: string, name: string): boolean => {
    const pointer = pointTo(section, name);
    return !once.found.has(pointer) || still.found.has(pointer) || (still.hasNames && section === 'schemas');
  };
  const kept = Object.entries(components).flatMap(([section, members]) => keepMembers(section, members, isKept));
  return kept.length === 0 ? rest : { ...root, components: Object.fromEntries(kept) };
}

/** A section without the components that go; none of it when nothing is left. */
function keepMembers(
  section: string,
  members: unknown,
  isKept: (section: string, name: string) => boolean,
): [string, unknown][] {
  if (!isJsonObject(members)) {
    return [[section, members]];
  }
  const kept = Object.entries(members).filter(([name]) => isKept(section, name));
  return kept.length === 0 && Object.keys(members).length > 0 ? [] : [[section, Object.fromEntries(kept)]];
}

function listComponents(components: JsonObject): string[] {
  return Object.entries(components).flatMap(([section, members]) =>
    isJsonObject(members) ? Object.keys(members).map((name) => pointTo(section, name)) : [],
  );
}

function pointTo(section: string, name: string): string {
  return `#/components/${section}/${escapePointer(name)}`;
}

/** The components that parts of a document lead to. */
class Reach {
  readonly #root: JsonObject;
  readonly #structure: Structure;
  /** Their references, and those to other places. */
  readonly found = new Set<string>();
  /** True when some schema is referred to by its name or address. */
  hasNames = false;

  constructor(root: JsonObject, structure: Structure) {
    this.#root = root;
    this.#structure = structure;
  }

  add(value: unknown, kind: Kind): void {
    this.#visit({ value, kind, pointer: '', isAside: false });
  }

  addComponent(pointer: string): void {
    const [, section = ''] = COMPONENT.exec(pointer) ?? [];
    const field = this.#structure.components.fields.get(section);
    const value = resolvePointer(this.#root, pointer.slice(1));
    if (field !== undefined && 'of' in field && value !== undefined && !this.found.has(pointer)) {
      this.found.add(pointer);
      this.add(value, field.of);
    }
  }

  readonly #visit = ({ value, kind }: Part): void => {
    if (!isJsonObject(value)) {
      return;
    }
    if (kind === 'security requirement') {
      Object.keys(value).forEach((name) => this.addComponent(pointTo('securitySchemes', name)));
    }
    if (kind === 'discriminator' && isJsonObject(value['mapping'])) {
      // A name of a schema, or a reference.
      for (const target of Object.values(value['mapping']).map(String)) {
        this.addComponent(pointTo('schemas', target));
        if (target.startsWith('#')) {
          this.#follow(target);
        }
      }
    }
    if (typeof value['$ref'] === 'string') {
      this.#follow(value['$ref']);
    }
    this.hasNames ||= value['$dynamicRef'] !== undefined;
    visitParts(value, '', this.#structure[kind], this.#visit);
  };

  #follow(reference: string): void {
    const pointer = decode(reference);
    const component = COMPONENT.exec(pointer)?.[0];
    if (component !== undefined) {
      this.addComponent(component);
    } else if (!pointer.startsWith('#/')) {
      this.hasNames = true;
    } else if (!this.found.has(pointer)) {
      this.found.add(pointer);
      this.add(resolvePointer(this.#root, pointer.slice(1)), 'schema');
    }
  }
}

function decode(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

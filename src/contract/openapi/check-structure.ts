import type { ConfigFault } from '../../failures.ts';
import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { dereference, readReference, resolvePointer } from './references.ts';
import { checkRules } from './check-rules.ts';
import { findMisspelt } from './find-misspelt.ts';
import { namePlace, type Origins } from './name-place.ts';
import { fieldOf, isExtension, visitParts, type Part } from './parts.ts';
import {
  laterVersionOf,
  structureOf,
  type Field,
  type Holding,
  type Kind,
  type ObjectRule,
  type Structure,
} from './structure.ts';
import type { OpenApiVersion } from './version.ts';

/** A document that was read, with all of its files in one root. */
export interface BundledDocument {
  readonly file: string;
  readonly version: OpenApiVersion;
  readonly root: JsonObject;
  readonly origins: Origins;
}

/**
 * Checks that a document has the structure of its version as far as the gateway depends on it: routes, security, what is
 * validated, and where references lead. What a schema says is checked when it is compiled.
 *
 * @param faults gets what is wrong, each with its place
 */
export function checkStructure(document: BundledDocument, faults: ConfigFault[]): void {
  new StructureCheck(document, faults).checkPart({
    value: document.root,
    kind: 'document',
    pointer: '',
    isAside: false,
  });
}

class StructureCheck {
  readonly #document: BundledDocument;
  readonly #structure: Structure;
  readonly #faults: ConfigFault[];
  /** What a reference led to that stands nowhere else, as kind and pointer. */
  readonly #visited = new Set<string>();
  /** References of schemas that were followed, and what is wrong with them. */
  readonly #references = new Map<string, string | undefined>();
  /** Schemas around the present one that have an `$id`, within which references mean something else. */
  #resources = 0;

  constructor(document: BundledDocument, faults: ConfigFault[]) {
    this.#document = document;
    this.#structure = structureOf(document.version);
    this.#faults = faults;
  }

  readonly checkPart = ({ value, kind, pointer, isAside }: Part): void => {
    if (isAside || (kind === 'schema' && typeof value === 'boolean')) {
      return;
    }
    if (!isJsonObject(value)) {
      this.#fault(pointer, `must be an object; found ${show(value)}`);
      return;
    }
    const isResource = kind === 'schema' && typeof value['$id'] === 'string';
    this.#resources += isResource ? 1 : 0;
    if (!this.#isOnlyReference(value, kind, pointer)) {
      this.#checkObject(value, kind, pointer);
    }
    this.#resources -= isResource ? 1 : 0;
  };

  /** Looks where a reference leads; true when nothing beside it counts. */
  #isOnlyReference(value: JsonObject, kind: Kind, pointer: string): boolean {
    const { component } = this.#structure[kind];
    const reference = value['$ref'];
    if (component === undefined || reference === undefined) {
      return false;
    }
    if (typeof reference !== 'string') {
      this.#fault(`${pointer}/$ref`, `must be a text; found ${show(reference)}`);
      return true;
    }
    if (kind === 'schema') {
      this.#checkSchemaReference(reference, pointer);
      return this.#document.version === '3.0';
    }
    this.#checkReference(value, kind, pointer);
    return kind !== 'path item';
  }

  /** What a schema calls by its name or address is found by those who compile schemas. */
  #checkSchemaReference(reference: string, pointer: string): void {
    if (this.#resources > 0 || !reference.startsWith('#/')) {
      return;
    }
    if (!this.#references.has(reference)) {
      this.#references.set(reference, this.#explainReference(reference));
    }
    const problem = this.#references.get(reference);
    if (problem !== undefined) {
      this.#fault(pointer, problem);
    }
  }

  #explainReference(reference: string): string | undefined {
    try {
      const found = resolvePointer(this.#document.root, readReference(reference));
      return found === undefined ? `has the reference ${reference}, which leads nowhere` : undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #checkReference(value: JsonObject, kind: Kind, pointer: string): void {
    try {
      const target = dereference(this.#document.root, { value, pointer });
      this.#refuseOtherSection(kind, target.pointer);
      const key = `${kind} ${target.pointer}`;
      if (!this.#isWalked(kind, target.pointer) && !this.#visited.has(key)) {
        this.#visited.add(key);
        this.checkPart({ ...target, kind, isAside: false });
      }
    } catch (error) {
      this.#fault(pointer, (error as Error).message);
    }
  }

  /** What is wrong is the reference, and not that a schema has none of the keys of a parameter. @throws {Error} */
  #refuseOtherSection(kind: Kind, pointer: string): void {
    const { component } = this.#structure[kind];
    const section = /^\/components\/([^/]+)\/[^/]+$/.exec(pointer)?.[1];
    if (section !== undefined && section !== component && this.#structure.components.fields.has(section)) {
      throw new Error(`has a reference to #${pointer}, where one to #/components/${component} belongs`);
    }
  }

  /** True for a place among the components that is checked anyway. */
  #isWalked(kind: Kind, pointer: string): boolean {
    const { component = '' } = this.#structure[kind];
    const section = this.#structure.components.fields.get(component);
    return section?.isAside !== true && new RegExp(`^/components/${component}/[^/]+$`).test(pointer);
  }

  #checkObject(value: JsonObject, kind: Kind, pointer: string): void {
    const rule = this.#structure[kind];
    for (const key of Object.keys(value)) {
      const field = fieldOf(rule, key);
      const problem = field === undefined ? this.#explainUnknown(value, key, kind) : explainValue(value[key], field);
      if (problem !== undefined) {
        this.#fault(field === undefined ? pointer : `${pointer}/${escapePointer(key)}`, problem);
      }
    }
    for (const name of rule.required.filter((candidate) => value[candidate] === undefined)) {
      this.#fault(pointer, `has no ${name}${listAllowed(rule.fields.get(name))}`);
    }
    checkRules(kind, value, this.#document.root, (message) => this.#fault(pointer, message));
    visitParts(value, pointer, rule, this.checkPart);
  }

  #explainUnknown(value: JsonObject, key: string, kind: Kind): string | undefined {
    const rule: ObjectRule = this.#structure[kind];
    // To JSON Schema every unknown keyword is an annotation.
    if (kind === 'schema' || isExtension(rule, key)) {
      return undefined;
    }
    const later = kind === 'path item' ? laterVersionOf(kind, key) : undefined;
    if (later !== undefined) {
      return `has ${key}, which OpenAPI has since ${later}; the document says ${this.#document.version}`;
    }
    const meant = findMisspelt(key, value, rule);
    return meant === undefined ? undefined : `has the key ${key}; did you mean ${meant}?`;
  }

  #fault(pointer: string, message: string): void {
    const { file, origins } = this.#document;
    this.#faults.push({ at: namePlace(file, pointer, origins), message });
  }
}

function explainValue(value: unknown, field: Field): string | undefined {
  if (!FITS[field.is](value)) {
    return `must be ${NAMES[field.is]}; found ${show(value)}`;
  }
  const { allowed } = field;
  return allowed === undefined || allowed.includes(String(value))
    ? undefined
    : `must be one of ${allowed.join(', ')}; found ${show(value)}`;
}

/** An object is looked at where it is visited. */
const FITS: Readonly<Record<Holding['is'], (value: unknown) => boolean>> = {
  any: () => true,
  object: () => true,
  text: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  list: (value) => Array.isArray(value),
  map: (value) => isJsonObject(value),
};

const NAMES: Readonly<Record<Holding['is'], string>> = {
  any: 'anything',
  object: 'an object',
  text: 'a text',
  boolean: 'true or false',
  texts: 'a list of texts',
  list: 'a list',
  map: 'an object',
};

function listAllowed(field: Field | undefined): string {
  return field?.allowed === undefined ? '' : `; allowed: ${field.allowed.join(', ')}`;
}

const MAX_SHOWN = 60;

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

import { isDeepStrictEqual } from 'node:util';
import { editDistance } from '../../syntax/edit-distance.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** Where an extension can stand in a document. */
export type ExtensionPlace = 'the document' | 'a path item' | 'an operation' | 'a parameter';

/** What our extensions are called as members of `x-gateway`. */
export type ExtensionName = keyof typeof EXTENSIONS;

/** The value of an extension, unchecked, and the words by which messages name it, as it is written. */
export interface Extension {
  readonly value: unknown;
  readonly written: string;
}

/** What a node of the document says in our extensions. */
export type Extensions = { readonly [name in ExtensionName]?: Extension };

interface ExtensionRule {
  readonly places: readonly ExtensionPlace[];
  /** The key that stands for it outside of `x-gateway`. */
  readonly key: string;
  /** Its name within that key, where that one holds several. */
  readonly member?: string;
}

const OPERATION = ['an operation'] as const;

/** Every extension, where it counts, and its name outside of `x-gateway`. */
export const EXTENSIONS = {
  service: { places: ['the document', 'a path item', 'an operation'], key: 'x-downstream', member: 'service' },
  pathPrefix: { places: ['the document', 'a path item'], key: 'x-downstream', member: 'pathPrefix' },
  path: { places: OPERATION, key: 'x-downstream', member: 'path' },
  method: { places: OPERATION, key: 'x-downstream', member: 'method' },
  authContext: { places: OPERATION, key: 'x-auth-context' },
  multiSegment: { places: ['an operation', 'a parameter'], key: 'x-multi-segment' },
  timeout: { places: OPERATION, key: 'x-timeout' },
  bodyLimit: { places: OPERATION, key: 'x-body-limit' },
  upgrade: { places: OPERATION, key: 'x-upgrade' },
  scopes: { places: OPERATION, key: 'x-scopes' },
  roles: { places: OPERATION, key: 'x-roles' },
  formats: { places: ['the document'], key: 'x-formats' },
  mcpServer: { places: ['a path item'], key: 'x-mcp-server' },
} as const satisfies Record<string, ExtensionRule>;

const RULES = Object.entries<ExtensionRule>(EXTENSIONS) as readonly (readonly [ExtensionName, ExtensionRule])[];

const ALL = 'x-gateway';

const KEYS: ReadonlySet<string> = new Set([ALL, ...RULES.map(([, { key }]) => key)]);

const NONE: Extensions = {};

/**
 * Reads our extensions of one node of the document. A rule that stands where it does nothing, or that is said twice and
 * differently, would silently not hold: it is a fault.
 */
export function readExtensions(node: JsonObject, place: ExtensionPlace, fault: (message: string) => void): Extensions {
  const keys = Object.keys(node).filter((key) => key.startsWith('x-'));
  if (keys.length === 0) {
    return NONE;
  }
  refuseMisspelt(keys, fault);
  const found: { [name in ExtensionName]?: Extension } = {};
  for (const key of keys.filter((candidate) => KEYS.has(candidate))) {
    for (const [name, extension] of readKey(key, node[key], place, fault)) {
      const { places } = ruleOf(name);
      const other = found[name];
      if (!places.includes(place)) {
        fault(`has ${extension.written}, which does nothing at ${place}; it belongs to ${places.join(' or ')}`);
      } else if (other !== undefined && !isDeepStrictEqual(other.value, extension.value)) {
        fault(`has ${other.written} and ${extension.written}, which differ; keep one`);
      } else {
        found[name] = extension;
      }
    }
  }
  return found;
}

function readKey(
  key: string,
  value: unknown,
  place: ExtensionPlace,
  fault: (message: string) => void,
): readonly (readonly [ExtensionName, Extension])[] {
  const members = key === ALL ? RULES.map(([name]) => [name, name] as const) : membersOf(key);
  if (members.length === 0) {
    return RULES.filter(([, rule]) => rule.key === key).map(([name]) => [name, { value, written: key }]);
  }
  if (!isJsonObject(value)) {
    fault(`has the ${key} ${JSON.stringify(value)}; allowed: a map of keys`);
    return [];
  }
  const known = members.map(([member]) => member);
  for (const unknown of Object.keys(value).filter((name) => !known.includes(name))) {
    const useful = members.filter(([, name]) => ruleOf(name).places.includes(place)).map(([member]) => member);
    fault(`has the unknown key ${unknown} in ${key}; known: ${useful.join(', ')}`);
  }
  return members
    .filter(([member]) => Object.hasOwn(value, member))
    .map(([member, name]) => [name, { value: value[member], written: `${key} ${member}` }]);
}

function ruleOf(name: ExtensionName): ExtensionRule {
  return EXTENSIONS[name];
}

function membersOf(key: string): readonly (readonly [string, ExtensionName])[] {
  return RULES.flatMap(([name, rule]) => (rule.key === key && rule.member !== undefined ? [[rule.member, name]] : []));
}

/** The letters of a key, beside `x-`, of which one may be wrong. */
const LETTERS_FOR_SLIP = 4;

function isSlipOf(key: string, name: string): boolean {
  const slips = Math.floor((name.length - 2) / LETTERS_FOR_SLIP);
  return Math.abs(name.length - key.length) <= slips && editDistance(name, key.toLowerCase()) <= slips;
}

/** Other `x-` keys are other people's, but one that is nearly ours is a rule that would silently not hold. */
function refuseMisspelt(keys: readonly string[], fault: (message: string) => void): void {
  for (const key of keys.filter((candidate) => !KEYS.has(candidate))) {
    const meant = [...KEYS].find((name) => isSlipOf(key, name));
    if (meant !== undefined) {
      fault(`has the key ${key}; did you mean ${meant}?`);
    }
  }
}

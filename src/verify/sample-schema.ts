import { dereference, follow, type Located } from '../contract/openapi/references.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import { samplePattern } from './sample-pattern.ts';

/** A schema may ask for itself; deeper than this nothing sensible comes any more. */
const DEEPEST = 16;

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  time: '12:00:00Z',
  duration: 'P1D',
  uuid: '00000000-0000-4000-8000-000000000001',
  email: 'somebody@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/sample',
  'json-pointer': '/sample',
  byte: 'c2FtcGxl',
};

/**
 * Makes a value for a schema: what the author gave as an example or default, or else the least that the schema asks
 * for. The same schema gives the same value each time; whether it fits is for the caller to check, because a
 * schema can require more than this understands.
 */
export function sampleSchema(root: JsonObject, schema: Located): unknown {
  return sample(root, schema, 0);
}

function sample(root: JsonObject, start: Located, depth: number): unknown {
  const at = dereference(root, start);
  const given = findGiven(at.value);
  if (given !== undefined || depth > DEEPEST) {
    return given?.value;
  }
  const branches = [
    ...listSchemas(root, at, 'allOf'),
    ...pickFirst(root, at, 'oneOf'),
    ...pickFirst(root, at, 'anyOf'),
  ];
  const parts = branches.map((branch) => sample(root, branch, depth + 1));
  const own = typeOf(at.value) === undefined && parts.length > 0 ? undefined : sampleType(root, at, depth);
  const objects = [own, ...parts].filter(isJsonObject);
  return objects.length > 0 ? Object.assign({}, ...objects) : (parts.find((part) => part !== undefined) ?? own);
}

/** A value that stands in the schema itself. */
function findGiven(schema: JsonObject): { readonly value: unknown } | undefined {
  for (const key of ['const', 'example', 'default']) {
    if (key in schema) {
      return { value: schema[key] };
    }
  }
  const list = [schema['examples'], schema['enum']].find((values) => Array.isArray(values) && values.length > 0);
  return Array.isArray(list) ? { value: list[0] as unknown } : undefined;
}

function listSchemas(root: JsonObject, at: Located, key: string): Located[] {
  const list = at.value[key];
  return (Array.isArray(list) ? list : []).flatMap((value: unknown, index) =>
    isJsonObject(value) ? [dereference(root, { value, pointer: `${at.pointer}/${key}/${index}` })] : [],
  );
}

/** The first choice that is more than null. */
function pickFirst(root: JsonObject, at: Located, key: string): Located[] {
  const all = listSchemas(root, at, key);
  return (all.some(isNotNull) ? all.filter(isNotNull) : all).slice(0, 1);
}

function isNotNull({ value }: Located): boolean {
  return value['type'] !== 'null';
}

function typeOf({ type, properties, items }: JsonObject): unknown {
  const types: unknown[] = [type].flat().filter((name) => name !== undefined);
  const inferred = properties !== undefined ? 'object' : items !== undefined ? 'array' : undefined;
  return types.find((name) => name !== 'null') ?? types[0] ?? inferred;
}

function sampleType(root: JsonObject, at: Located, depth: number): unknown {
  switch (typeOf(at.value)) {
    case 'object':
      return sampleObject(root, at, depth);
    case 'array':
      return sampleArray(root, at, depth);
    case 'integer':
    case 'number':
      return sampleNumber(at.value);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return sampleText(at.value);
  }
}

function sampleObject(root: JsonObject, at: Located, depth: number): JsonObject {
  const properties = follow(root, at, 'properties');
  const required = [at.value['required'] ?? []].flat().map(String);
  const optional = Object.keys(properties?.value ?? {}).filter((name) => !required.includes(name));
  const spare = Math.max(0, (numberOf(at.value['minProperties']) ?? 0) - required.length);
  return Object.fromEntries(
    [...required, ...optional.slice(0, spare)].map((name) => {
      const property = properties && follow(root, properties, name);
      return [name, property === undefined ? 'sample' : sample(root, property, depth + 1)];
    }),
  );
}

function sampleArray(root: JsonObject, at: Located, depth: number): unknown[] {
  const items = follow(root, at, 'items');
  const least = numberOf(at.value['minItems']) ?? 0;
  const first = items === undefined ? 'sample' : sample(root, items, depth + 1);
  return Array.from({ length: least }, (_, index) => (index === 0 ? first : vary(first, index)));
}

/** Items may have to differ. */
function vary(value: unknown, index: number): unknown {
  return typeof value === 'number' ? value + index : value;
}

function sampleNumber(schema: JsonObject): number {
  const above = numberOf(schema['exclusiveMinimum']);
  const below = numberOf(schema['exclusiveMaximum']);
  const least = Math.max(numberOf(schema['minimum']) ?? -Infinity, above === undefined ? -Infinity : above + 1);
  const most = Math.min(numberOf(schema['maximum']) ?? Infinity, below === undefined ? Infinity : below - 1);
  if (least > most) {
    return ((above ?? least) + (below ?? most)) / 2;
  }
  const value = Math.min(Math.max(1, least), most);
  const step = numberOf(schema['multipleOf']);
  return step === undefined ? value : Math.ceil(value / step) * step;
}

function sampleText({ format, pattern, minLength, maxLength }: JsonObject): string {
  const formatted = typeof format === 'string' ? FORMATS[format] : undefined;
  const matching = typeof pattern === 'string' ? samplePattern(pattern) : undefined;
  return formatted ?? matching ?? 'sample'.padEnd(numberOf(minLength) ?? 0, 'x').slice(0, numberOf(maxLength));
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

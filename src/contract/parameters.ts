import type { RequestFault } from '../failures.ts';
import { readJson } from './json-text.ts';
import type { PathValues } from './path-template.ts';
import { dereference, follow, type Located } from './references.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import type { Check, SchemaCompiler } from './schemas.ts';

/** The places of a request in which parameters can stand. */
export interface ParameterSource {
  readonly path: PathValues;
  readonly query: URLSearchParams;
  /** By name in lower case; a header that came in several lines is a list. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Looks at one declared parameter of a request and returns what is wrong with it. */
export type ParameterCheck = (source: ParameterSource) => readonly RequestFault[];

/** A number as JSON writes it; JavaScript would also take ` 5`, `+5` and `0x5` for one. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;

type ParameterPlace = 'path' | 'query' | 'header' | 'cookie';

/** What the contract says of a parameter. */
export interface Declaration {
  readonly name: string;
  readonly in: ParameterPlace;
  readonly required: boolean;
  readonly shape: 'scalar' | 'list' | 'map' | 'json';
  readonly style: string;
  readonly explode: boolean;
  /** The types that can fit where these are all numbers. */
  readonly numberTypes: readonly unknown[] | undefined;
  readonly check: Check;
}

/** A raw value of a parameter, `undefined` when it is absent, or the sentence that says why it cannot be read. */
type Reading = { readonly value: unknown } | { readonly fault: string };

const PLACES: readonly unknown[] = ['path', 'query', 'header', 'cookie'] satisfies ParameterPlace[];

/** Headers that OpenAPI says are never parameters (OpenAPI 3.1 §4.8.12). */
const NEVER_PARAMETERS = new Set(['accept', 'content-type', 'authorization']);

/**
 * Makes the check of a declared parameter.
 *
 * @param declaredInQuery the names of all parameters that the operation declares in the query
 * @returns `undefined` for a header that the specification says is described elsewhere
 * @throws {Error} when the declaration cannot be enforced
 */
export function compileParameter(
  root: JsonObject,
  parameter: Located,
  schemas: SchemaCompiler,
  declaredInQuery: ReadonlySet<string>,
): ParameterCheck | undefined {
  const declaration = readDeclaration(root, parameter, schemas);
  if (declaration.in === 'header' && NEVER_PARAMETERS.has(declaration.name.toLowerCase())) {
    return undefined;
  }
  const where = { in: declaration.in, name: declaration.name };
  return (source) => {
    const reading = readParameter(declaration, source, declaredInQuery);
    if ('fault' in reading) {
      return [{ ...where, detail: reading.fault }];
    }
    if (reading.value === undefined) {
      return declaration.required ? [{ ...where, detail: 'is required' }] : [];
    }
    if (declaration.numberTypes && typeof reading.value === 'string' && !JSON_NUMBER.test(reading.value)) {
      return [{ ...where, detail: `must be ${declaration.numberTypes.join(' or ')}` }];
    }
    return (declaration.check(reading.value) ?? []).map(({ pointer, detail }) =>
      pointer === '' ? { ...where, detail } : { ...where, pointer, detail },
    );
  };
}

/**
 * Reads the declaration of a parameter.
 *
 * @throws {Error} when it cannot be enforced
 */
export function readDeclaration(root: JsonObject, { value, pointer }: Located, schemas: SchemaCompiler): Declaration {
  const name = String(value['name']);
  const place = value['in'];
  if (!PLACES.includes(place)) {
    throw new Error(`the parameter ${name} stands in ${String(place)}, which is not a place for parameters`);
  }
  const style = typeof value['style'] === 'string' ? value['style'] : defaultStyle(place as ParameterPlace);
  const explode = typeof value['explode'] === 'boolean' ? value['explode'] : style === 'form';
  const common = { name, in: place as ParameterPlace, required: value['required'] === true, style, explode };
  const [mediaType] = isJsonObject(value['content']) ? Object.keys(value['content']) : [];
  if (mediaType !== undefined) {
    const content = follow(root, { value: value['content'] as JsonObject, pointer: `${pointer}/content` }, mediaType);
    return {
      ...common,
      shape: 'json',
      numberTypes: undefined,
      check: schemas.compile(`${content?.pointer ?? pointer}/schema`),
    };
  }
  const { schema } = value;
  if (!isJsonObject(schema) && typeof schema !== 'boolean') {
    throw new Error(`the parameter ${name} has neither a schema nor content`);
  }
  const types = isJsonObject(schema) ? typesOf(root, { value: schema, pointer: `${pointer}/schema` }) : [];
  const shape = shapeOf(types);
  if (!isSupported(common.in, style, shape)) {
    throw new Error(`the parameter ${name} has the style ${style}, which is not supported in ${common.in}`);
  }
  const isNumber = types.length > 0 && types.every((type) => type === 'integer' || type === 'number');
  const numberTypes = isNumber ? types : undefined;
  return { ...common, shape, numberTypes, check: schemas.compileParameter(`${pointer}/schema`) };
}

function defaultStyle(place: ParameterPlace): string {
  return place === 'query' || place === 'cookie' ? 'form' : 'simple';
}

function isSupported(place: ParameterPlace, style: string, shape: Declaration['shape']): boolean {
  if (place !== 'query') {
    return style === defaultStyle(place);
  }
  return style === 'form' || (shape === 'map' ? style === 'deepObject' : /^(space|pipe)Delimited$/.test(style));
}

/** The types that a schema names itself; a schema with properties and no type is taken for an object's. */
function typesOf(root: JsonObject, schema: Located): readonly unknown[] {
  const { type, properties } = dereference(root, schema).value;
  if (type === undefined) {
    return properties === undefined ? [] : ['object'];
  }
  return Array.isArray(type) ? type : [type];
}

function shapeOf(types: readonly unknown[]): Declaration['shape'] {
  if (types.includes('array')) {
    return 'list';
  }
  return types.includes('object') ? 'map' : 'scalar';
}

function readParameter(
  declaration: Declaration,
  source: ParameterSource,
  declaredInQuery: ReadonlySet<string>,
): Reading {
  const { shape, style, explode } = declaration;
  if (shape === 'map' && declaration.in === 'query' && (style === 'deepObject' || explode)) {
    return readQueryMap(declaration, source.query, declaredInQuery);
  }
  const texts = readTexts(declaration, source);
  if (shape === 'list' && explode && style === 'form') {
    return { value: texts.length === 0 ? undefined : texts };
  }
  const [text] = texts;
  if (text === undefined) {
    return { value: undefined };
  }
  if (texts.length > 1 && !(shape === 'list' && declaration.in === 'header')) {
    return GIVEN_TWICE;
  }
  switch (shape) {
    case 'list':
      return { value: texts.flatMap((line) => splitList(line, declaration)) };
    case 'json':
      return readContent(text);
    case 'map':
      return { value: toMap(text, explode) };
    case 'scalar':
      return { value: text };
  }
}

/** Two servers may read two different ones of them, so a check of either would prove nothing. */
const GIVEN_TWICE: Reading = { fault: 'must be given once' };

function readTexts({ name, in: place }: Declaration, source: ParameterSource): string[] {
  switch (place) {
    case 'path':
      return toList(joinSegments(source.path[name]));
    case 'query':
      return source.query.getAll(name);
    case 'header':
      return toList(source.headers[name.toLowerCase()]);
    case 'cookie':
      return readCookies(toList(source.headers['cookie']).join(';'), name);
  }
}

function joinSegments(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join('/') : value;
}

function toList(value: string | readonly string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat();
}

function readCookies(header: string, name: string): string[] {
  return header
    .split(';')
    .map((pair) => pair.trim().split('='))
    .filter(([key]) => key === name)
    .map(([, ...value]) => value.join('='));
}

function splitList(text: string, { style }: Declaration): string[] {
  const separator = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ',';
  return text === '' ? [] : text.split(separator).map((item) => item.trim());
}

function readContent(text: string): Reading {
  const reading = readJson(text) ?? { fault: { detail: 'must be JSON' } };
  return 'fault' in reading ? { fault: reading.fault.detail } : reading;
}

/** `a,1,b,2`, or `a=1,b=2` when exploded (OpenAPI 3.1 §4.8.12, style `simple`). */
function toMap(text: string, explode: boolean): Record<string, string> {
  const items = text.split(',');
  const pairs = explode
    ? items.map((item) => item.split('='))
    : items.filter((_, index) => index % 2 === 0).map((key, index) => [key, items[index * 2 + 1] ?? '']);
  return Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value]));
}

/** `?filter[a]=1` (style `deepObject`), or every parameter of the query that is not declared itself (exploded). */
function readQueryMap(
  { name, style }: Declaration,
  query: URLSearchParams,
  declaredInQuery: ReadonlySet<string>,
): Reading {
  const prefix = `${name}[`;
  const members =
    style === 'deepObject'
      ? [...query]
          .filter(([key]) => key.startsWith(prefix) && key.endsWith(']'))
          .map(([key, value]) => [key.slice(prefix.length, -1), value] as const)
      : [...query].filter(([key]) => key === name || !declaredInQuery.has(key));
  if (new Set(members.map(([key]) => key)).size < members.length) {
    return GIVEN_TWICE;
  }
  return { value: members.length === 0 ? undefined : Object.fromEntries(members) };
}

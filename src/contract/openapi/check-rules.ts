import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import { dereference } from './references.ts';
import type { Kind } from './structure.ts';

type Report = (message: string) => void;

type Rule = (value: JsonObject, report: Report, root: JsonObject) => void;

/** What OpenAPI says of an object beyond the fields that it has. */
const RULES: { readonly [K in Kind]?: Rule } = {
  paths: checkPaths,
  'path item': checkParameterList,
  operation: checkParameterList,
  parameter: checkParameter,
  'security scheme': checkSecurityScheme,
};

/** Checks the rules for a kind of object that its fields alone do not show. */
export function checkRules(kind: Kind, value: JsonObject, root: JsonObject, report: Report): void {
  RULES[kind]?.(value, report, root);
}

function checkPaths(value: JsonObject, report: Report): void {
  for (const path of Object.keys(value).filter((key) => !key.startsWith('/') && !key.startsWith('x-'))) {
    report(`has the path ${JSON.stringify(path)}; a path begins with /`);
  }
}

/** Of two parameters of one name one would silently not hold (OpenAPI 3.1 §4.8.10). */
function checkParameterList({ parameters }: JsonObject, report: Report, root: JsonObject): void {
  const seen = new Set<string>();
  for (const parameter of (Array.isArray(parameters) ? parameters : []).filter(isJsonObject)) {
    const { name, in: place } = resolve(root, parameter) ?? {};
    const key = `${String(name)} in ${String(place)}`;
    if (typeof name === 'string' && seen.has(key)) {
      report(`has the parameter ${key} twice`);
    }
    seen.add(key);
  }
}

/** What cannot be followed is told of where it stands. */
function resolve(root: JsonObject, value: JsonObject): JsonObject | undefined {
  try {
    return dereference(root, { value, pointer: '' }).value;
  } catch {
    return undefined;
  }
}

function checkParameter(value: JsonObject, report: Report): void {
  if (value['in'] === 'path' && value['required'] !== true) {
    report('is a path parameter without `required: true`');
  }
  const { schema, content } = value;
  if (schema === undefined && content === undefined) {
    report('has neither schema nor content; a parameter has one of them');
  } else if (schema !== undefined && content !== undefined) {
    report('has both schema and content; a parameter has one of them');
  } else if (isJsonObject(content) && Object.keys(content).length !== 1) {
    report(`has ${Object.keys(content).length} media types as its content; a parameter has one`);
  }
}

/** The fields that a type of scheme cannot do without. */
const SCHEME_FIELDS: Readonly<Record<string, readonly string[]>> = {
  apiKey: ['name', 'in'],
  http: ['scheme'],
  oauth2: ['flows'],
};

function checkSecurityScheme(value: JsonObject, report: Report): void {
  const type = String(value['type']);
  const needed = Object.hasOwn(SCHEME_FIELDS, type) ? (SCHEME_FIELDS[type] ?? []) : [];
  for (const name of needed.filter((candidate) => value[candidate] === undefined)) {
    report(`has the type ${type} and no ${name}`);
  }
}

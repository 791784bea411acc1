import type { RequestFault } from '../../failures.ts';
import type { JsonObject } from '../../syntax/json.ts';
import { compileContent } from './parameters/content.ts';
import { readDeclaration, type Declaration } from './parameters/declaration.ts';
import type { ParameterSource } from './parameters/source.ts';
import { compileStyle } from './parameters/styles.ts';
import type { Located } from '../openapi/references.ts';
import type { SchemaCompiler, SchemaFault } from '../schema/schemas.ts';

/** Looks at one declared parameter of a request and returns what is wrong with it. */
export type ParameterCheck = (source: ParameterSource) => readonly RequestFault[];

/** Headers that OpenAPI says are never parameters (OpenAPI 3.1 §4.8.12). */
const NEVER_PARAMETERS = new Set(['accept', 'content-type', 'authorization']);

const NO_FAULTS: readonly RequestFault[] = [];

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
  const declaration = readOnce(root, parameter, schemas);
  const { name, mediaType, required } = declaration;
  if (declaration.in === 'header' && NEVER_PARAMETERS.has(name.toLowerCase())) {
    return undefined;
  }
  const read =
    mediaType === undefined ? compileStyle(declaration, declaredInQuery) : compileContent(declaration, mediaType);
  const where = { in: declaration.in === 'querystring' ? 'query' : declaration.in, name };
  return (source) => {
    const reading = read(source);
    if (reading === undefined) {
      return required ? [{ ...where, detail: 'is required' }] : NO_FAULTS;
    }
    if ('fault' in reading) {
      return [{ ...where, detail: reading.fault }];
    }
    const faults = findFaults(reading.values, declaration);
    return faults === undefined
      ? NO_FAULTS
      : faults.map(({ pointer, detail }) => (pointer === '' ? { ...where, detail } : { ...where, pointer, detail }));
  };
}

/** What was read with a compiler, by where it stands: the operations of a large document share most of their parameters. */
const DECLARATIONS = new WeakMap<SchemaCompiler, Map<string, Declaration>>();

function readOnce(root: JsonObject, parameter: Located, schemas: SchemaCompiler): Declaration {
  const known = DECLARATIONS.get(schemas) ?? new Map<string, Declaration>();
  DECLARATIONS.set(schemas, known);
  const declaration = known.get(parameter.pointer) ?? readDeclaration(root, parameter, schemas);
  known.set(parameter.pointer, declaration);
  return declaration;
}

/** What is wrong with the likeliest of several values, when none of them fits. */
function findFaults(values: readonly unknown[], { check }: Declaration): readonly SchemaFault[] | undefined {
  let first: readonly SchemaFault[] | undefined;
  for (const value of values) {
    const faults = check?.(value);
    if (faults === undefined) {
      return undefined;
    }
    first ??= faults;
  }
  return first;
}

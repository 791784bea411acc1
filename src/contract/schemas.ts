import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { escapePointer, isObject, type JsonObject } from './references.ts';

/** Looks at a value; `undefined` when it fits, otherwise what is wrong. */
export type Check = (value: unknown) => readonly SchemaFault[] | undefined;

/** One fault of a value against its schema. */
export interface SchemaFault {
  /** RFC 6901 pointer into the value. */
  readonly pointer: string;
  readonly detail: string;
}

const DOCUMENT = 'contract:';
const MOST_FAULTS = 50;

/**
 * Compiles schemas where they stand in the contract, so that references, also recursive ones, mean what they mean
 * there (JSON Schema 2020-12, which OpenAPI 3.1 uses).
 */
export class SchemaCompiler {
  readonly #strict: Ajv2020;
  readonly #firstFaultOnly: Ajv2020;
  readonly #coercing: Ajv2020;

  constructor(root: JsonObject) {
    this.#strict = createAjv(root, { allErrors: true });
    this.#firstFaultOnly = createAjv(root, {});
    this.#coercing = createAjv(root, { allErrors: true, coerceTypes: true });
  }

  /**
   * A check for parsed JSON that lists every fault.
   *
   * @param pointer where the schema stands in the contract
   * @throws {Error} when the schema itself is wrong
   */
  compile(pointer: string): Check {
    return toCheck(this.#strict, reference(pointer));
  }

  /** A check that stops at the first fault, for values so large that a list of faults would itself be a burden. */
  compileFirstFault(pointer: string): Check {
    return toCheck(this.#firstFaultOnly, reference(pointer));
  }

  /** A check for a parameter, whose numbers and booleans arrive as texts: one, a list or a map of them. */
  compileParameter(pointer: string): Check {
    const check = toCheck(this.#coercing, { type: 'object', properties: { value: reference(pointer) } });
    return (value) => {
      const coerced = { value: copyTexts(value) };
      const faults = check(coerced);
      return faults === undefined
        ? findLooseNumbers(value, coerced.value)
        : faults.map((fault) => ({ ...fault, pointer: fault.pointer.replace('/value', '') }));
    };
  }
}

function copyTexts(value: unknown): unknown {
  if (Array.isArray(value)) {
    return [...(value as unknown[])];
  }
  return isObject(value) ? { ...value } : value;
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Ajv takes every text for a number that JavaScript takes for one: `0x10`, ` 1`, `Infinity`. Few servers do. */
function findLooseNumbers(given: unknown, coerced: unknown, pointer = ''): SchemaFault[] | undefined {
  if (isObject(coerced) || Array.isArray(coerced)) {
    const faults = Object.entries(coerced).flatMap(
      ([key, value]) => findLooseNumbers((given as JsonObject)[key], value, `${pointer}/${escapePointer(key)}`) ?? [],
    );
    return faults.length > 0 ? faults : undefined;
  }
  const isLoose = typeof coerced === 'number' && !(Number.isFinite(coerced) && NUMBER.test(String(given)));
  return isLoose ? [{ pointer, detail: 'must be number' }] : undefined;
}

function createAjv(root: JsonObject, options: object): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, logger: false, strictNumbers: true, ...options });
  addFormats.default(ajv);
  return ajv.addSchema(root, DOCUMENT);
}

function reference(pointer: string): { $ref: string } {
  return { $ref: `${DOCUMENT}#${pointer.split('/').map(encodeURIComponent).join('/')}` };
}

function toCheck(ajv: Ajv2020, schema: object): Check {
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? undefined : describe(validate.errors ?? []));
}

function describe(errors: readonly ErrorObject[]): SchemaFault[] {
  return errors.slice(0, MOST_FAULTS).map(({ instancePath, keyword, params, message = 'is not valid' }) => {
    const unknown: unknown = keyword === 'additionalProperties' ? params['additionalProperty'] : undefined;
    const allowed: unknown = keyword === 'enum' ? params['allowedValues'] : undefined;
    if (typeof unknown === 'string') {
      return { pointer: instancePath, detail: `must not have the property ${JSON.stringify(unknown)}` };
    }
    if (Array.isArray(allowed)) {
      return {
        pointer: instancePath,
        detail: `must be one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`,
      };
    }
    return { pointer: instancePath, detail: message };
  });
}

import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { parseDocument } from 'yaml';
import type { ConfigFault } from '../failures.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';

/** The schema of OpenAPI serves once, so its code is not worth polishing (measured: 47 ms to check a contract, not 162). */
const ONE_DOCUMENT = { code: { optimize: false }, inlineRefs: false };

/**
 * Reads an OpenAPI 3.1 document from a YAML or JSON file.
 *
 * @param faults gets what is wrong with it
 * @returns `undefined` when it cannot be used at all
 */
export async function readDocument(file: string, faults: ConfigFault[]): Promise<JsonObject | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    faults.push({
      at: 'contract',
      message: `the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    });
    return undefined;
  }
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const place = `${file}:${error.linePos?.[0].line ?? 1}`;
    faults.push({ at: 'contract', message: `${place} cannot be read as YAML from here on (${error.code})` });
    return undefined;
  }
  const root: unknown = toJson(document, faults);
  if (!isJsonObject(root) || typeof root['openapi'] !== 'string' || !/^3\.1\.\d+/.test(root['openapi'])) {
    faults.push({
      at: 'contract',
      message: `${file} is not an OpenAPI 3.1 document; it must begin with \`openapi: 3.1.0\``,
    });
    return undefined;
  }
  const { valid, errors } = await new Validator(ONE_DOCUMENT).validate(structuredClone(root));
  if (!valid) {
    faults.push(...describeSchemaErrors(errors));
    return undefined;
  }
  return root;
}

function toJson(document: ReturnType<typeof parseDocument>, faults: ConfigFault[]): unknown {
  try {
    const tree: unknown = document.toJS();
    // Fails when an alias holds itself.
    JSON.stringify(tree);
    return tree;
  } catch {
    faults.push({ at: 'contract', message: 'has a YAML alias (*name) that cannot be followed' });
    return undefined;
  }
}

interface SchemaError {
  readonly instancePath?: string;
  readonly keyword?: string;
  readonly message?: string;
  readonly params?: Record<string, unknown>;
}

/** Keywords that only say that some branch of a schema did not fit; the branch's own errors say why. */
const BRANCHES = new Set(['if', 'oneOf', 'anyOf', 'not']);

/** The deepest errors say what is wrong; the others only say that something below them is. */
function describeSchemaErrors(errors: unknown): ConfigFault[] {
  if (!Array.isArray(errors)) {
    return [{ at: 'contract', message: String(errors) }];
  }
  const all = errors
    .filter(({ keyword }: SchemaError) => !BRANCHES.has(keyword ?? ''))
    .map(({ instancePath = '', message = 'is not valid', params }: SchemaError) => ({
      at: `contract ${instancePath}`.trim(),
      message: `${message} (OpenAPI 3.1)${describeParams(params)}`,
    }));
  const deepest = all.filter(({ at }) => !all.some((other) => other.at.startsWith(`${at}/`)));
  return [...new Map(deepest.map((fault) => [`${fault.at} ${fault.message}`, fault])).values()].slice(0, 20);
}

function describeParams(params: Record<string, unknown> | undefined): string {
  const name = params?.['unevaluatedProperty'] ?? params?.['additionalProperty'];
  return typeof name === 'string' ? `: ${name}` : '';
}

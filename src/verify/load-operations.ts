import { compileBody, type BodyRule } from '../contract/checks/body.ts';
import { readDocument, type ContractDocument } from '../contract/document/document.ts';
import { isMcpServer } from '../contract/document/expand-mcp-servers.ts';
import { MCP_TAG } from '../contract/document/mcp-operations.ts';
import { readDialect } from '../contract/compile-document.ts';
import { readExtensions } from '../contract/operations/extensions.ts';
import {
  listOperations,
  nameOperation,
  namesOf,
  placeOf,
  readOperationAccess,
  readParameters,
  readSecuritySchemes,
  type AccessSource,
  type PlaceFault,
} from '../contract/operations/operations.ts';
import type { Operation } from '../contract/operations/operation.ts';
import { isJson } from '../contract/checks/media-type.ts';
import { findBeyondPath } from '../contract/routes/path-template.ts';
import { compileParameter, type ParameterCheck } from '../contract/checks/parameters.ts';
import { readDeclaration, type Declaration } from '../contract/checks/parameters/declaration.ts';
import { dereference, follow, type Located } from '../contract/openapi/references.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import { SchemaCompiler, type Check } from '../contract/schema/schemas.ts';
import { ConfigError, type ConfigFault } from '../failures.ts';
import { compileResponses, type ResponseRule } from './response-rules.ts';
import { sampleSchema } from './sample-schema.ts';

/** A declared parameter: how to write it, what fits it, and something to try. */
export interface TriedParameter {
  readonly declaration: Declaration;
  readonly check: ParameterCheck;
  /** What its values must be like. */
  readonly schema: Located;
  /** True when the author says what a good value is, so that even an optional one is worth sending. */
  readonly hasExample: boolean;
  readonly sample: unknown;
}

/** A declared request body in the media type that is tried. */
export interface TriedBody {
  readonly rule: BodyRule;
  readonly mediaType: string;
  /** Absent where nothing can be checked. */
  readonly check: Check | undefined;
  readonly schema: Located | undefined;
  readonly sample: unknown;
}

/** An operation of the contract as a client sees it. */
export interface TriedOperation {
  readonly name: string;
  /** In upper case. */
  readonly method: string;
  /** The path template. */
  readonly path: string;
  readonly access: Operation['access'];
  /** Only in the operator's contract; the published one does not tell. */
  readonly authContext: string | undefined;
  /** True for an operation of an MCP server, which is a resource of its own; in the published contract its tag tells. */
  readonly isOfMcpServer: boolean;
  /** True when it is no plain request; in the published contract only a 101 among its answers tells. */
  readonly isWebSocket: boolean;
  /** True for a GET that the gateway answers as HEAD, too, though the contract does not say so. */
  readonly servesHead: boolean;
  readonly parameters: readonly TriedParameter[];
  readonly body: TriedBody | undefined;
  readonly responses: readonly ResponseRule[];
}

/** A contract whose operations can be tried. */
export interface TriedContract {
  readonly root: JsonObject;
  readonly operations: readonly TriedOperation[];
}

/**
 * Loads a contract, the operator's or the published one.
 *
 * @throws {ConfigError} with everything in it that no gateway could serve
 */
export async function loadOperations(file: string): Promise<TriedContract> {
  const faults: ConfigFault[] = [];
  const document = await readDocument(file, faults);
  const operations = document === undefined ? [] : readOperations(document, faults);
  if (document === undefined || faults.length > 0) {
    throw new ConfigError(faults);
  }
  return { root: document.root, operations };
}

/** A schema may require other members of a request than of an answer (OpenAPI 3.0 §4.7.24.2). */
interface Schemas {
  readonly ofRequests: SchemaCompiler;
  readonly ofAnswers: SchemaCompiler;
}

function readOperations(document: ContractDocument, faults: ConfigFault[]): TriedOperation[] {
  const { root, version } = document;
  const faultAt: PlaceFault = (place, message) => faults.push({ at: `contract ${place}`.trim(), message });
  const documentFault = (message: string): void => faultAt('', message);
  const dialect = readDialect(readExtensions(root, 'the document', documentFault).formats, version, documentFault);
  const schemas = {
    ofRequests: new SchemaCompiler(root, dialect),
    ofAnswers: new SchemaCompiler(root, { ...dialect, direction: 'response' }),
  };
  const schemes = readSecuritySchemes(root, faultAt);
  const reachable = listOperations(document, faultAt).filter(({ path }) => findBeyondPath(path) === undefined);
  return reachable.flatMap((found) => {
    const fault = (message: string): void => faultAt(placeOf(found), message);
    const extensions = readExtensions(found.operation.value, 'an operation', fault);
    try {
      return [readOperation({ ...found, root, schemes, extensions, fault, notice: () => undefined }, schemas)];
    } catch (error) {
      fault((error as Error).message);
      return [];
    }
  });
}

function readOperation(source: AccessSource, schemas: Schemas): TriedOperation {
  const { root, path, method, item, operation, extensions } = source;
  const authContext = extensions.authContext?.value;
  const isWebSocket =
    extensions.upgrade !== undefined || follow(root, operation, 'responses')?.value['101'] !== undefined;
  const methodBehind = extensions.method?.value ?? 'get';
  return {
    name: nameOperation(source),
    isOfMcpServer: isMcpServer(item.value) || isTagged(operation, MCP_TAG),
    method: method.toUpperCase(),
    path,
    access: readOperationAccess(source),
    authContext: typeof authContext === 'string' ? authContext : undefined,
    isWebSocket,
    servesHead: method === 'get' && !isWebSocket && item.value['head'] === undefined && isGet(methodBehind),
    parameters: readTriedParameters(root, readParameters(source), schemas.ofRequests),
    body: readBody(root, operation, schemas.ofRequests),
    responses: compileResponses(root, operation, schemas.ofAnswers),
  };
}

function isTagged({ value: { tags } }: Located, tag: string): boolean {
  return Array.isArray(tags) && tags.includes(tag);
}

function isGet(method: unknown): boolean {
  return typeof method === 'string' && method.toUpperCase() === 'GET';
}

function readTriedParameters(
  root: JsonObject,
  parameters: readonly Located[],
  schemas: SchemaCompiler,
): readonly TriedParameter[] {
  const inQuery = new Set(namesOf(parameters, 'query'));
  return parameters.flatMap((parameter) => readTriedParameter(root, parameter, schemas, inQuery) ?? []);
}

function readTriedParameter(
  root: JsonObject,
  parameter: Located,
  schemas: SchemaCompiler,
  inQuery: ReadonlySet<string>,
): TriedParameter | undefined {
  const check = compileParameter(root, parameter, schemas, inQuery);
  if (check === undefined) {
    return undefined;
  }
  const content = follow(root, parameter, 'content');
  const media = content && follow(root, content, Object.keys(content.value)[0] ?? '');
  const schema = follow(root, media ?? parameter, 'schema') ?? { value: {}, pointer: '' };
  const example = readExample(root, parameter) ?? readExample(root, media) ?? readSchemaExample(schema.value);
  return {
    declaration: readDeclaration(root, parameter, schemas),
    check,
    schema,
    hasExample: example !== undefined,
    sample: example === undefined ? sampleSchema(root, schema) : example,
  };
}

function readBody(root: JsonObject, operation: Located, schemas: SchemaCompiler): TriedBody | undefined {
  const rule = compileBody(root, operation, schemas);
  const body = follow(root, operation, 'requestBody');
  const content = body && follow(root, body, 'content');
  const ranges = Object.keys(content?.value ?? {});
  const range = ranges.find(isJson) ?? ranges[0];
  if (rule === undefined || content === undefined || range === undefined) {
    return undefined;
  }
  const media = follow(root, content, range);
  const schema = media && follow(root, media, 'schema');
  return {
    rule,
    mediaType: concreteType(range),
    check: isJson(range) ? rule.mediaTypes.find(({ name }) => name === range)?.json : undefined,
    schema,
    sample: readExample(root, media) ?? (schema === undefined ? 'sample' : sampleSchema(root, schema)),
  };
}

/** A media type of a range. */
function concreteType(range: string): string {
  return range.replace('*/*', 'application/octet-stream').replace('/*+', '/sample+').replace('/*', '/octet-stream');
}

/** `example`, or the value of the first of `examples`, of a parameter or a media type. */
function readExample(root: JsonObject, owner: Located | undefined): unknown {
  const examples = owner && follow(root, owner, 'examples');
  const [first] = Object.values(examples?.value ?? {});
  const named = isJsonObject(first) ? dereference(root, { value: first, pointer: '' }).value['value'] : undefined;
  return owner?.value['example'] ?? named;
}

/** A default is what happens anyway, so it is no example. */
function readSchemaExample({ example, examples }: JsonObject): unknown {
  return example ?? (Array.isArray(examples) ? (examples[0] as unknown) : undefined);
}

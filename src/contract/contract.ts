import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { parseDocument } from 'yaml';
import { editDistance } from '../edit-distance.ts';
import type { ConfigFault } from '../failures.ts';
import { readAccess, type Access } from './access.ts';
import { compileBody, type BodyRule } from './body.ts';
import { compileParameter, type ParameterCheck } from './parameters.ts';
import { compileFill, namesIn, parseTemplate, type EncodedValues } from './path-template.ts';
import { withoutExtensions } from './publish.ts';
import { follow, isObject, dereference, type JsonObject, type Located } from './references.ts';
import { RouteTable } from './route-table.ts';
import { SchemaCompiler } from './schemas.ts';

/** The schema of OpenAPI serves once, so its code is not worth polishing (measured: 47 ms to check a contract, not 162). */
const ONE_DOCUMENT = { code: { optimize: false }, inlineRefs: false };

/** One operation of the contract, ready to serve requests. */
export interface Operation {
  /** Its `operationId`, or `GET /orders`; the label of logs and metrics. */
  readonly name: string;
  readonly access: Access;
  /** The Conditional Access authentication context that the caller's token must carry. */
  readonly authContext?: string;
  readonly parameters: readonly ParameterCheck[];
  readonly body?: BodyRule;
  /** The protocol that a request must ask for, and that is then spoken on its connection. */
  readonly upgrade?: 'websocket';
  /** In upper case. */
  readonly method: string;
  /** The path template. */
  readonly path: string;
  /** The name of the last path parameter when it takes the rest of the path. */
  readonly multiSegment?: string;
  /** The name of the downstream in gateway.yaml. */
  readonly service: string;
  readonly downstreamMethod: string;
  /** The path template of the downstream. */
  readonly downstreamPath: string;
  readonly fillPath: (values: EncodedValues) => string;
}

/** The OpenAPI document as the gateway uses it. */
export interface Contract {
  readonly title: string;
  readonly routes: RouteTable<Operation>;
  readonly operations: readonly Operation[];
  /** Every delegated scope that some operation asks for, as the contract writes it. */
  readonly scopes: readonly string[];
  /** The document for clients, as JSON text. */
  readonly published: string;
  /** The document as it was written, from which another process can compile the same contract. */
  readonly document: JsonObject;
}

/** The paths that the gateway answers itself. */
export const OWN_PATHS = { contract: '/openapi.json', metadata: '/.well-known/oauth-protected-resource' } as const;

const METHODS: readonly string[] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
const AUTH_CONTEXT = /^c[1-9][0-9]?$/;

/**
 * Loads the contract and checks it against OpenAPI 3.1 and against the deployment.
 *
 * @param services the names of the downstreams in gateway.yaml
 * @param faults gets everything that is wrong, each naming its operation
 * @returns `undefined` when the document is no OpenAPI 3.1 at all
 */
export async function loadContract(
  file: string,
  services: ReadonlySet<string>,
  faults: ConfigFault[],
): Promise<Contract | undefined> {
  const root = await readDocument(file, faults);
  return root && compileContract(root, services, faults);
}

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
  if (!isObject(root) || typeof root['openapi'] !== 'string' || !/^3\.1\.\d+/.test(root['openapi'])) {
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

/**
 * Compiles a document that {@link readDocument} has read.
 *
 * @param services the names of the downstreams in gateway.yaml
 * @param faults gets everything that is wrong, each naming its operation
 */
export function compileContract(root: JsonObject, services: ReadonlySet<string>, faults: ConfigFault[]): Contract {
  const schemas = new SchemaCompiler(root);
  const routes = new RouteTable<Operation>();
  const operations: Operation[] = [];
  const start: Located = { value: root, pointer: '' };
  for (const { path, method, item, operation } of listOperations(root, start, faults)) {
    const fault = (message: string): void => {
      faults.push({ at: `contract ${method.toUpperCase()} ${path}`, message });
    };
    if (Object.values(OWN_PATHS).some((own) => own === path)) {
      fault('is a path that the gateway answers itself');
      continue;
    }
    const compiled = compileOperation({ root, path, method, item, operation, schemas, services, fault });
    if (operations.some(({ name }) => name === compiled.name)) {
      fault(`has the operationId ${compiled.name}, which another operation has too`);
    }
    const other = routes.add(compiled.method, path, compiled.multiSegment !== undefined, compiled);
    if (other !== undefined) {
      fault(`matches the same requests as ${other}`);
    }
    operations.push(compiled);
  }
  serveHead(routes, operations);
  return {
    title: isObject(root['info']) ? String(root['info']['title']) : '',
    routes,
    operations,
    scopes: [...new Set(operations.flatMap(({ access }) => delegatedScopes(access)))],
    published: JSON.stringify(withoutExtensions(root)),
    document: root,
  };
}

/**
 * Lets HEAD in wherever GET is (RFC 9110 §9.1), unless the contract says itself what HEAD does, or what answers the GET is
 * no GET, whose answer to HEAD would be another.
 */
function serveHead(routes: RouteTable<Operation>, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const { method, path, multiSegment, downstreamMethod, upgrade } = operation;
    if (method === 'GET' && downstreamMethod === 'GET' && upgrade === undefined) {
      // A HEAD of the contract is there already, and stays.
      routes.add('HEAD', path, multiSegment !== undefined, { ...operation, downstreamMethod: 'HEAD' });
    }
  }
}

function delegatedScopes(access: Access): readonly string[] {
  return access === 'anonymous' ? [] : access.flatMap((way) => (way.caller === 'user' ? way.scopes : []));
}

/** An operation as it stands in the document. */
export interface Found {
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly item: Located;
  readonly operation: Located;
}

/** Every operation of a document, in its order. */
export function listOperations(root: JsonObject, start: Located, faults: ConfigFault[]): Found[] {
  const paths = attempt(() => follow(root, start, 'paths'), faults, 'contract /paths');
  return Object.keys(paths?.value ?? {})
    .filter((path) => path.startsWith('/'))
    .flatMap((path) => {
      const item = paths && attempt(() => follow(root, paths, path), faults, `contract ${path}`);
      if (item?.value['trace'] !== undefined) {
        faults.push({ at: `contract TRACE ${path}`, message: 'TRACE is never served' });
      }
      return METHODS.flatMap((method) => {
        const operation = item && attempt(() => follow(root, item, method), faults, `contract ${method} ${path}`);
        return item && operation ? [{ path, method, item, operation }] : [];
      });
    });
}

function attempt<T>(read: () => T, faults: ConfigFault[], at: string): T | undefined {
  try {
    return read();
  } catch (error) {
    faults.push({ at, message: (error as Error).message });
    return undefined;
  }
}

interface OperationSource extends OperationPart {
  readonly schemas: SchemaCompiler;
  readonly services: ReadonlySet<string>;
}

function compileOperation(source: OperationSource): Operation {
  const { root, path, method, operation, schemas, fault } = source;
  const declared = readParameters(source);
  checkPathParameters(path, declared, fault);
  const inQuery = new Set(namesOf(declared, 'query'));
  const multiSegment = readMultiSegment(declared, path, fault);
  refuseMisspelt([operation, ...declared], fault);
  const access = readOperationAccess(source);
  const body = attemptHere(fault, () => compileBody(root, operation, schemas));
  const authContext = readAuthContext(operation.value['x-auth-context'], access, fault);
  const downstream = readDownstream(source);
  return {
    name: nameOperation(source),
    access,
    ...(authContext === undefined ? {} : { authContext }),
    parameters: declared.flatMap(
      (parameter) => attemptHere(fault, () => compileParameter(root, parameter, schemas, inQuery)) ?? [],
    ),
    ...(body === undefined ? {} : { body }),
    ...readUpgrade(source, downstream),
    method: method.toUpperCase(),
    path,
    ...(multiSegment === undefined ? {} : { multiSegment }),
    ...downstream,
  };
}

/** The `operationId` of an operation, or `GET /orders`. */
export function nameOperation({ path, method, operation }: Found): string {
  const id = operation.value['operationId'];
  return typeof id === 'string' ? id : `${method.toUpperCase()} ${path}`;
}

/** An operation and the document that it stands in. */
export interface OperationPart extends Found {
  readonly root: JsonObject;
  /** Is told of everything that is wrong with the operation. */
  readonly fault: (message: string) => void;
}

/** Who may call an operation, by its own `security` or by that of the whole document. */
export function readOperationAccess({ root, operation, fault }: OperationPart): Access {
  const components = attemptHere(fault, () => follow(root, { value: root, pointer: '' }, 'components'));
  const schemes = attemptHere(fault, () => components && follow(root, components, 'securitySchemes'));
  return readAccess(
    operation.value['security'] ?? root['security'],
    Object.fromEntries(
      Object.keys(schemes?.value ?? {}).map((name) => [
        name,
        attemptHere(fault, () => schemes && follow(root, schemes, name))?.value,
      ]),
    ),
    fault,
  );
}

function attemptHere<T>(fault: (message: string) => void, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    fault((error as Error).message);
    return undefined;
  }
}

/** The parameters of the path item and of the operation, which replaces those of the same name and place. */
export function readParameters({ root, item, operation, fault }: OperationPart): Located[] {
  const byPlace = new Map<string, Located>();
  for (const owner of [item, operation]) {
    const list = owner.value['parameters'];
    for (const [index, value] of (Array.isArray(list) ? list : []).entries()) {
      const parameter = isObject(value)
        ? attemptHere(fault, () => dereference(root, { value, pointer: `${owner.pointer}/parameters/${index}` }))
        : undefined;
      if (parameter !== undefined) {
        byPlace.set(`${String(parameter.value['in'])} ${String(parameter.value['name'])}`, parameter);
      }
    }
  }
  return [...byPlace.values()];
}

/** The names of the parameters that are declared in a place: `path`, `query`, `header` or `cookie`. */
export function namesOf(declared: readonly Located[], place: string): string[] {
  return declared.filter(({ value }) => value['in'] === place).map(({ value }) => String(value['name']));
}

const EXTENSIONS = ['x-downstream', 'x-auth-context', 'x-multi-segment', 'x-upgrade'];

/** Other `x-` keys are other people's, but one that is nearly ours is a rule that would silently not hold. */
function refuseMisspelt(nodes: readonly Located[], fault: (message: string) => void): void {
  for (const key of nodes.flatMap(({ value }) => Object.keys(value)).filter((name) => name.startsWith('x-'))) {
    const meant = EXTENSIONS.find((name) => name !== key && editDistance(name, key.toLowerCase()) <= 3);
    if (meant !== undefined && !EXTENSIONS.includes(key)) {
      fault(`has the key ${key}; did you mean ${meant}?`);
    }
  }
}

function checkPathParameters(path: string, declared: readonly Located[], fault: (message: string) => void): void {
  const inPath = namesOf(declared, 'path');
  const named = namesIn(parseTemplate(path));
  for (const name of named.filter((candidate) => !inPath.includes(candidate))) {
    fault(`does not declare its path parameter ${name}`);
  }
  for (const name of inPath.filter((candidate) => !named.includes(candidate))) {
    fault(`declares the path parameter ${name}, which its path lacks`);
  }
}

function readMultiSegment(
  declared: readonly Located[],
  path: string,
  fault: (message: string) => void,
): string | undefined {
  for (const { value } of declared) {
    const flag = value['x-multi-segment'];
    if (flag !== undefined && typeof flag !== 'boolean') {
      fault(`has the x-multi-segment ${JSON.stringify(flag)}; allowed: true or false`);
    }
  }
  const names = declared
    .filter(({ value }) => value['x-multi-segment'] === true)
    .map(({ value }) => String(value['name']));
  const [last] = parseTemplate(path).at(-1) ?? [];
  for (const name of names) {
    if (!path.endsWith(`/{${name}}`) || last === undefined || !('parameter' in last)) {
      fault(`has x-multi-segment on the parameter ${name}, which is not the whole last segment of the path`);
    }
  }
  return names[0];
}

function readAuthContext(value: unknown, access: Access, fault: (message: string) => void): string | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== 'string' || !AUTH_CONTEXT.test(value)) {
    fault(`has the x-auth-context ${JSON.stringify(value)}; allowed: c1 to c99`);
    return undefined;
  }
  if (access === 'anonymous') {
    fault('has an x-auth-context but is anonymous');
  }
  return value;
}

function readUpgrade(
  { method, operation, fault }: OperationSource,
  { downstreamMethod }: DownstreamPart,
): Pick<Operation, 'upgrade'> {
  const upgrade = operation.value['x-upgrade'];
  if (upgrade === undefined) {
    return {};
  }
  if (upgrade !== 'websocket') {
    fault(`has the x-upgrade ${JSON.stringify(upgrade)}; allowed: websocket`);
  }
  if (method !== 'get' || downstreamMethod !== 'GET') {
    fault('has an x-upgrade, which only a GET can have that is a GET downstream too');
  }
  if (operation.value['requestBody'] !== undefined) {
    fault('has an x-upgrade and a requestBody, which a WebSocket never has');
  }
  return { upgrade: 'websocket' };
}

type DownstreamPart = Pick<Operation, 'service' | 'downstreamMethod' | 'downstreamPath' | 'fillPath'>;

function readDownstream(source: OperationSource): DownstreamPart {
  const { path, method, operation, services, fault } = source;
  const mapping = operation.value['x-downstream'];
  const {
    service,
    path: template = path,
    method: downstreamMethod = method,
    ...unknown
  } = isObject(mapping) ? mapping : {};
  if (typeof service !== 'string') {
    fault('has no x-downstream with a service; name one of the downstreams of gateway.yaml');
  } else if (!services.has(service)) {
    fault(`names the unknown service ${service}; known: ${[...services].join(', ') || 'none'}`);
  }
  for (const key of Object.keys(unknown)) {
    fault(`has the unknown key ${key} in x-downstream; known: service, path, method`);
  }
  if (typeof downstreamMethod !== 'string' || !METHODS.includes(downstreamMethod.toLowerCase())) {
    fault(`has the x-downstream method ${JSON.stringify(downstreamMethod)}; allowed: ${METHODS.join(', ')}`);
  }
  if ((String(downstreamMethod).toLowerCase() === 'head') !== (method === 'head')) {
    fault('maps between HEAD and another method, whose answers differ in their bodies');
  }
  if (typeof template !== 'string' || !isDownstreamPath(template)) {
    fault(
      `has the x-downstream path ${JSON.stringify(template)}; it must begin with one / and hold no query, dot segments or backslashes`,
    );
  }
  const segments = parseTemplate(String(template));
  const known = namesIn(parseTemplate(path));
  for (const name of namesIn(segments).filter((candidate) => !known.includes(candidate))) {
    fault(`uses the path parameter ${name} in its x-downstream path, which its own path lacks`);
  }
  return {
    service: String(service),
    downstreamMethod: String(downstreamMethod).toUpperCase(),
    downstreamPath: String(template),
    fillPath: compileFill(segments),
  };
}

function isDownstreamPath(template: string): boolean {
  return /^\/(?!\/)[^?#\\\s\p{Cc}]*$/u.test(template) && !/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(template);
}

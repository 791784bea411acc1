import type { Access } from '../session/requirement.ts';
import { editDistance } from '../syntax/edit-distance.ts';
import { isJsonObject } from '../syntax/json.ts';
import { compileBody } from './body.ts';
import type { Operation } from './operation.ts';
import {
  attemptHere,
  METHODS,
  namesOf,
  nameOperation,
  readOperationAccess,
  readParameters,
  type OperationPart,
} from './operations.ts';
import { compileParameter } from './parameters.ts';
import { compileFill, namesIn, parseTemplate } from './path-template.ts';
import type { Located } from './references.ts';
import type { SchemaCompiler } from './schemas.ts';

const AUTH_CONTEXT = /^c[1-9][0-9]?$/;

/** An operation and what it is compiled with. */
export interface OperationSource extends OperationPart {
  readonly schemas: SchemaCompiler;
  /** The names of the downstreams in gateway.yaml. */
  readonly services: ReadonlySet<string>;
}

/** Makes an operation ready to serve requests, and tells of everything in it that is wrong. */
export function compileOperation(source: OperationSource): Operation {
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
  } = isJsonObject(mapping) ? mapping : {};
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

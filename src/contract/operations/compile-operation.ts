import { compileBody } from '../checks/body.ts';
import { readAuthContext } from './auth-context.ts';
import { readMapping, type MappingDefaults, type Services } from './downstream-mapping.ts';
import type { Extensions } from './extensions.ts';
import { readMultiSegment } from './multi-segment.ts';
import { readLimits } from './operation-limits.ts';
import type { Operation } from './operation.ts';
import {
  attemptHere,
  namesOf,
  nameOperation,
  readOperationAccess,
  readParameters,
  type AccessSource,
  type Found,
} from './operations.ts';
import { compileParameter } from '../checks/parameters.ts';
import { hasStrayBrace, namesIn, parseTemplate } from '../routes/path-template.ts';
import type { Located } from '../openapi/references.ts';
import type { SchemaCompiler } from '../schema/schemas.ts';

/** An operation and what it is compiled with. */
export interface OperationSource extends AccessSource {
  readonly schemas: SchemaCompiler;
  readonly services: Services;
  /** What its path item and its document say for it. */
  readonly mapping: MappingDefaults;
  /** What stands before its path for callers; empty for nothing. */
  readonly publicPath: string;
  /** What stands before its name; empty for nothing. */
  readonly label: string;
  /** Which of the documents of the contract it stands in. */
  readonly document: number;
}

/** Makes an operation ready to serve requests, and tells of everything in it that is wrong. */
export function compileOperation(source: OperationSource): Operation {
  const { root, path, method, operation, extensions, schemas, fault, publicPath, label, document } = source;
  const declared = readParameters(source);
  checkPathParameters(path, declared, fault);
  const inQuery = new Set(namesOf(declared, 'query'));
  const multiSegment = readMultiSegment(path, extensions, declared, source);
  const access = readOperationAccess(source);
  const body = attemptHere(fault, () => compileBody(root, operation, schemas));
  const authContext = readAuthContext(extensions.authContext, access, fault);
  const mapping = readMapping(source, extensions, source.mapping, source.services, fault);
  return {
    name: label === '' ? nameOperation(source) : `${label} ${nameOperation(source)}`,
    document,
    access,
    ...(authContext === undefined ? {} : { authContext }),
    parameters: declared.flatMap(
      (parameter) => attemptHere(fault, () => compileParameter(root, parameter, schemas, inQuery)) ?? [],
    ),
    ...(body === undefined ? {} : { body }),
    ...readUpgrade(source, extensions.upgrade, mapping.downstreamMethod),
    ...readLimits(extensions, fault),
    method: method.toUpperCase(),
    path: `${publicPath}${path}`,
    matrix: new Set(
      namesOf(
        declared.filter(({ value }) => value['style'] === 'matrix'),
        'path',
      ),
    ),
    ...(multiSegment === undefined ? {} : { multiSegment }),
    ...mapping,
  };
}

function checkPathParameters(path: string, declared: readonly Located[], fault: (message: string) => void): void {
  const inPath = namesOf(declared, 'path');
  const named = namesIn(parseTemplate(path));
  if (hasStrayBrace(path)) {
    fault('has a brace in its path that belongs to no parameter; a parameter is written {name}');
  }
  for (const name of named.filter((candidate, index) => named.indexOf(candidate) !== index)) {
    fault(`has the parameter ${name} twice in its path`);
  }
  for (const name of named.filter((candidate) => !inPath.includes(candidate))) {
    fault(`does not declare its path parameter ${name}`);
  }
  for (const name of inPath.filter((candidate) => !named.includes(candidate))) {
    fault(`declares the path parameter ${name}, which its path lacks`);
  }
}

function readUpgrade(
  { method, operation, fault }: Found & Pick<OperationSource, 'fault'>,
  upgrade: Extensions['upgrade'],
  downstreamMethod: string,
): Pick<Operation, 'upgrade'> {
  if (upgrade === undefined) {
    return {};
  }
  const { value, written } = upgrade;
  if (value !== 'websocket') {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: websocket`);
  }
  if (method !== 'get' || downstreamMethod !== 'GET') {
    fault(`has an ${written}, which only a GET can have that is a GET downstream too`);
  }
  if (operation.value['requestBody'] !== undefined) {
    fault(`has an ${written} and a requestBody, which a WebSocket never has`);
  }
  return { upgrade: 'websocket' };
}

import { METHODS as PARSER_METHODS } from 'node:http';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Access } from '../../session/requirement.ts';
import { readAccess } from './access.ts';
import type { ContractDocument, OpenApiVersion } from '../document/document.ts';
import { isMcpServer } from '../document/expand-mcp-servers.ts';
import { type Extensions } from './extensions.ts';
import { dereference, follow, type Located } from '../openapi/references.ts';

const METHODS_OF_ALL = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/** The methods that a path item has a key of its own for, in lower case; `trace`, which every version has, is never served. */
const METHODS: Readonly<Record<OpenApiVersion, readonly string[]>> = {
  '3.0': METHODS_OF_ALL,
  '3.1': METHODS_OF_ALL,
  '3.2': [...METHODS_OF_ALL, 'query'],
};

/** What would reach the connection or the server itself (RFC 9110 §9.3.6, §9.3.8). */
const NEVER_SERVED: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

/** True for a method, in capitals, that requests can come with and that may be served. */
export function isServable(method: string): boolean {
  return PARSER_METHODS.includes(method) && !NEVER_SERVED.has(method);
}

/** An operation as it stands in the document. */
export interface Found {
  readonly path: string;
  /** As the document writes it: in lower case, or, in `additionalOperations`, in capitals. */
  readonly method: string;
  readonly item: Located;
  readonly operation: Located;
}

/** Is told of something that is wrong with what stands at a place of the document, such as `GET /orders`. */
export type PlaceFault = (place: string, message: string) => void;

/** `GET /orders`, by which messages name an operation. */
export function placeOf({ method, path }: Pick<Found, 'method' | 'path'>): string {
  return `${method.toUpperCase()} ${path}`;
}

/** Every operation of a document that requests could come for, in its order. */
export function listOperations(document: Pick<ContractDocument, 'root' | 'version'>, fault: PlaceFault): Found[] {
  const { root } = document;
  const paths = attempt(() => follow(root, { value: root, pointer: '' }, 'paths'), fault, '/paths');
  return Object.keys(paths?.value ?? {})
    .filter((path) => path.startsWith('/'))
    .flatMap((path) => {
      const item = paths && attempt(() => follow(root, paths, path), fault, path);
      return item === undefined ? [] : listItem(document, path, item, fault);
    });
}

function listItem(
  { root, version }: Pick<ContractDocument, 'root' | 'version'>,
  path: string,
  item: Located,
  fault: PlaceFault,
): Found[] {
  if (item.value['trace'] !== undefined) {
    fault(placeOf({ method: 'trace', path }), 'is never served');
  }
  const additional =
    version === '3.2' ? attempt(() => follow(root, item, 'additionalOperations'), fault, path) : undefined;
  const named = Object.keys(additional?.value ?? {}).filter((method) => !method.startsWith('x-'));
  for (const method of named.filter((name) => !isServable(name))) {
    fault(
      `${method} ${path}`,
      NEVER_SERVED.has(method) ? 'is never served' : 'has a method that Node cannot read from a request',
    );
  }
  return [
    ...METHODS[version].map((method) => ({ owner: item, method })),
    ...named.filter(isServable).flatMap((method) => (additional ? [{ owner: additional, method }] : [])),
  ].flatMap(({ owner, method }) => {
    const operation = attempt(() => follow(root, owner, method), fault, placeOf({ method, path }));
    return operation === undefined ? [] : [{ path, method, item, operation }];
  });
}

function attempt<T>(read: () => T, fault: PlaceFault, place: string): T | undefined {
  try {
    return read();
  } catch (error) {
    fault(place, (error as Error).message);
    return undefined;
  }
}

/** The `operationId` of an operation, or `GET /orders`. */
export function nameOperation({ path, method, item, operation }: Found): string {
  const id = operation.value['operationId'];
  if (typeof id === 'string') {
    return id;
  }
  return isMcpServer(item.value) ? `mcp ${path} ${method.toUpperCase()}` : placeOf({ path, method });
}

/** An operation and the document that it stands in. */
export interface OperationPart extends Found {
  readonly root: JsonObject;
  /** Called with everything that is wrong with the operation. */
  readonly fault: (message: string) => void;
}

/** What decides who may call an operation, beside what stands in it. */
export interface AccessSource extends OperationPart {
  /** The operation's own. */
  readonly extensions: Extensions;
  /** The security schemes of the document: {@link readSecuritySchemes}. */
  readonly schemes: Readonly<Record<string, unknown>>;
  /** What gateway.yaml says in the place of the document. */
  readonly security?: readonly unknown[] | undefined;
  /** Is told of what is wrong with that. */
  readonly securityFault?: (message: string) => void;
  readonly notice: (message: string, remedy: string) => void;
}

/**
 * Who may call an operation: as gateway.yaml says, or by the `security` of the operation, of its path item (which OpenAPI
 * does not have), or of the whole document.
 */
export function readOperationAccess(source: AccessSource): Access {
  const { root, item, operation, extensions, schemes, security, fault, securityFault = fault, notice } = source;
  const written = security ?? operation.value['security'] ?? item.value['security'] ?? root['security'];
  const { scopes, roles } = extensions;
  if (security === undefined && (scopes ?? roles) !== undefined && !namesBearer(written, schemes)) {
    fault(`has ${(scopes ?? roles)?.written}, which counts only beside an http bearer scheme`);
  }
  return readAccess(written, {
    schemes,
    bearerScopes: scopes && readNames(scopes.value, scopes.written, fault),
    bearerRoles: roles && readNames(roles.value, roles.written, fault),
    isFromDeployment: security !== undefined,
    fault: security === undefined ? fault : securityFault,
    notice,
  });
}

function readNames(value: unknown, written: string, fault: (message: string) => void): readonly string[] {
  const isList = Array.isArray(value) && value.every((name) => typeof name === 'string');
  if (!isList) {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: a list of names`);
  }
  return isList ? value : [];
}

function namesBearer(security: unknown, schemes: AccessSource['schemes']): boolean {
  const names = (Array.isArray(security) ? security : []).flatMap((entry) =>
    isJsonObject(entry) ? Object.keys(entry) : [],
  );
  return names.some((name) => {
    const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
    return isJsonObject(scheme) && scheme['type'] === 'http';
  });
}

/**
 * The security schemes of a document, by name.
 *
 * @param fault is told of those that cannot be read
 */
export function readSecuritySchemes(root: JsonObject, fault: PlaceFault): Readonly<Record<string, unknown>> {
  const place = '/components/securitySchemes';
  const components = attempt(() => follow(root, { value: root, pointer: '' }, 'components'), fault, place);
  const schemes = attempt(() => components && follow(root, components, 'securitySchemes'), fault, place);
  return Object.fromEntries(
    Object.keys(schemes?.value ?? {}).map((name) => [
      name,
      attempt(() => schemes && follow(root, schemes, name), fault, `${place}/${name}`)?.value,
    ]),
  );
}

/** The parameters of the path item and of the operation, which replaces those of the same name and place. */
export function readParameters({ root, item, operation, fault }: OperationPart): Located[] {
  const byPlace = new Map<string, Located>();
  for (const owner of [item, operation]) {
    const list = owner.value['parameters'];
    for (const [index, value] of (Array.isArray(list) ? list : []).entries()) {
      const parameter = isJsonObject(value)
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

/** Reads a part of an operation; what cannot be read is told of and left out. */
export function attemptHere<T>(fault: (message: string) => void, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    fault((error as Error).message);
    return undefined;
  }
}

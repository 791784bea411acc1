import type { ConfigFault } from '../failures.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import type { Access } from '../session/requirement.ts';
import { readAccess } from './access.ts';
import { dereference, follow, type Located } from './references.ts';

/** The methods that an operation may have, in lower case. */
export const METHODS: readonly string[] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

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

/** The `operationId` of an operation, or `GET /orders`. */
export function nameOperation({ path, method, operation }: Found): string {
  const id = operation.value['operationId'];
  return typeof id === 'string' ? id : `${method.toUpperCase()} ${path}`;
}

/** An operation and the document that it stands in. */
export interface OperationPart extends Found {
  readonly root: JsonObject;
  /** Called with everything that is wrong with the operation. */
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

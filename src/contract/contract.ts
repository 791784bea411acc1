import type { Access } from '../session/requirement.ts';
import type { ConfigFault } from '../failures.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import { compileOperation } from './compile-operation.ts';
import { readDocument } from './document.ts';
import type { Operation } from './operation.ts';
import { listOperations } from './operations.ts';
import { OWN_PATHS } from './own-paths.ts';
import { withoutExtensions } from './publish.ts';
import type { Located } from './references.ts';
import { RouteTable } from './route-table.ts';
import { SchemaCompiler } from './schemas.ts';

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
    title: isJsonObject(root['info']) ? String(root['info']['title']) : '',
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

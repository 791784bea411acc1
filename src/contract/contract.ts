import type { ConfigFault } from '../failures.ts';
import { isJsonObject } from '../syntax/json.ts';
import { compileDocument, type CompiledDocument } from './compile-document.ts';
import { nameAt, type ContractPart, type ContractSource, type Listeners } from './contract-source.ts';
import { readDocument, type ContractDocument, type OnRead } from './document/document.ts';
import type { Services } from './operations/downstream-mapping.ts';
import { foldFaults } from './fold-faults.ts';
import { tellSharedScopes } from './mcp-scopes.ts';
import type { McpServer } from './operations/mcp-server.ts';
import type { Operation } from './operations/operation.ts';
import { documentPath, OWN_PATHS } from './own-paths.ts';
import type { Candidate } from './openapi/keep-served.ts';
import { RouteTable } from './routes/route-table.ts';
import { findIdle, readSelection } from './operations/selection.ts';

export type { ContractPart, ContractSource, OnRead };

/** The OpenAPI documents as the gateway uses them. */
export interface Contract {
  /** What the documents call themselves. */
  readonly title: string;
  readonly routes: RouteTable<Operation>;
  readonly operations: readonly Operation[];
  /** Every delegated scope that some operation asks for which is none of an MCP server, as the contract writes it. */
  readonly scopes: readonly string[];
  /** In the order of the documents. */
  readonly mcpServers: readonly McpServer[];
  /** What is no fault and still not as the documents say it. */
  readonly notices: readonly Notice[];
  /** What is served of each document, in the order of gateway.yaml. */
  readonly documents: readonly ServedDocument[];
}

/** Something that an operator should know of a document. */
export interface Notice {
  /** The place, such as `contract[1] GET /orders`. */
  readonly at: string;
  /** What is there, beginning with a verb. */
  readonly message: string;
  readonly remedy: string;
}

/** One document of the contract: as it was written, from which another process can compile the same, and as it is served. */
export interface ServedDocument extends ContractPart, Omit<CompiledDocument, 'operations'> {
  /** Where it is published. */
  readonly ownPath: string;
}

/**
 * Loads the documents of the contract and checks them against OpenAPI and against the deployment.
 *
 * @param services the names of the downstreams in gateway.yaml
 * @param faults gets everything that is wrong, each naming its operation
 * @param onRead called with the path of each file before it is read; default nothing
 * @returns `undefined` when one of them is no document that can be served at all
 */
export async function loadContract(
  sources: readonly ContractSource[],
  services: Services,
  faults: ConfigFault[],
  onRead: OnRead = () => {},
): Promise<Contract | undefined> {
  const parts: ContractPart[] = [];
  for (const source of sources) {
    const document = await readServed(source, faults, onRead);
    if (document !== undefined) {
      parts.push({ source, document });
    }
  }
  const contract = compileContract(parts, services, faults);
  return parts.length === sources.length ? contract : undefined;
}

/** Reads of a document what is served of it. */
async function readServed(
  { at, file, operations: wanted }: ContractSource,
  faults: ConfigFault[],
  onRead: OnRead,
): Promise<ContractDocument | undefined> {
  const ofDocument: ConfigFault[] = [];
  const tell = (): unknown =>
    faults.push(...foldFaults(ofDocument.map((fault) => ({ ...fault, at: fault.at.replace(/^contract/, at) }))));
  if (wanted === undefined) {
    const document = await readDocument(file, ofDocument, undefined, onRead);
    tell();
    return document;
  }
  const { serves } = readSelection(wanted);
  const all: Candidate[] = [];
  const keep = (candidate: Candidate): boolean => {
    all.push(candidate);
    return serves(candidate);
  };
  const document = await readDocument(file, ofDocument, keep, onRead);
  tell();
  const idle = document === undefined ? [] : findIdle(wanted, all);
  faults.push(...idle.map(({ index, message }) => ({ at: `${at}.operations[${index}]`, message })));
  return document;
}

/**
 * Compiles documents that {@link readDocument} has read.
 *
 * @param services the names of the downstreams in gateway.yaml
 * @param faults gets everything that is wrong, each naming its operation
 */
export function compileContract(parts: readonly ContractPart[], services: Services, faults: ConfigFault[]): Contract {
  const found: ConfigFault[] = [];
  const notices: Notice[] = [];
  const listeners: Listeners = {
    fault: (at, message) => found.push({ at, message }),
    notice: (at, message, remedy) => notices.push({ at, message, remedy }),
  };
  const compiled = parts.map((part, index) => compileDocument(part, index, services, listeners));
  const documents = compiled.map(({ operations: _operations, ...served }, index): ServedDocument => {
    const part = parts[index] as ContractPart;
    return { ...part, ...served, ownPath: documentPath(part.source.prefix ?? '') };
  });
  const operations = compiled.flatMap((document) => document.operations);
  const mcpServers = [...new Set(operations.flatMap(({ mcpServer }) => mcpServer ?? []))];
  const ownPaths = new Set<string>([...Object.values(OWN_PATHS), ...documents.map(({ ownPath }) => ownPath)]);
  const faultAt = (operation: Operation, message: string): void => {
    const { source, publicPath } = documents[operation.document] as ServedDocument;
    const place = `${operation.method} ${operation.path.slice(publicPath.length)}`;
    found.push({ at: nameAt(source.at, place), message });
  };
  tellSharedScopes(operations, faultAt);
  const routes = routeOperations(operations, ownPaths, faultAt);
  faults.push(...foldFaults(found));
  return {
    title: [...new Set(parts.map(({ document }) => readTitle(document.root['info'])))].join(', '),
    routes,
    operations,
    scopes: [...new Set(operations.filter(({ mcpServer }) => mcpServer === undefined).flatMap(delegatedScopes))],
    mcpServers,
    notices: foldNotices(notices),
    documents,
  };
}

function routeOperations(
  operations: readonly Operation[],
  ownPaths: ReadonlySet<string>,
  fault: (operation: Operation, message: string) => void,
): RouteTable<Operation> {
  const routes = new RouteTable<Operation>();
  const names = new Set<string>();
  for (const operation of operations) {
    const { name, method, path, multiSegment } = operation;
    if (ownPaths.has(path)) {
      fault(operation, 'is a path that the gateway answers itself');
      continue;
    }
    if (names.has(name)) {
      fault(operation, `has the operationId ${name}, which another operation has too`);
    }
    names.add(name);
    const other = routes.add(method, path, multiSegment !== undefined, operation, operation.matrix);
    if (other !== undefined) {
      fault(operation, `matches the same requests as ${other}`);
    }
  }
  serveHead(routes, operations);
  return routes;
}

/**
 * Lets HEAD in wherever GET is (RFC 9110 §9.1), unless the contract says itself what HEAD does, or what answers the GET is
 * no GET, whose answer to HEAD would be another.
 */
function serveHead(routes: RouteTable<Operation>, operations: readonly Operation[]): void {
  for (const operation of operations) {
    const { method, path, matrix, multiSegment, downstreamMethod, upgrade } = operation;
    if (method === 'GET' && downstreamMethod === 'GET' && upgrade === undefined) {
      // A HEAD of the contract is there already, and stays.
      routes.add('HEAD', path, multiSegment !== undefined, { ...operation, downstreamMethod: 'HEAD' }, matrix);
    }
  }
}

function delegatedScopes({ access }: Operation): readonly string[] {
  return access === 'anonymous' ? [] : access.flatMap((way) => (way.caller === 'user' ? way.scopes : []));
}

/** What a document calls itself, from its `info`. */
export function readTitle(info: unknown): string {
  return isJsonObject(info) ? String(info['title']) : '';
}

function foldNotices(notices: readonly Notice[]): readonly Notice[] {
  const remedies = [...new Set(notices.map(({ remedy }) => remedy))];
  return remedies.flatMap((remedy) =>
    foldFaults(notices.filter((notice) => notice.remedy === remedy)).map((folded) => ({ ...folded, remedy })),
  );
}

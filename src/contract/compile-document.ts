import type { PublishedOperation } from './document/publish.ts';
import { compileOperation } from './operations/compile-operation.ts';
import { nameAt, type ContractPart, type ContractSource, type Listeners } from './contract-source.ts';
import type { ContractDocument } from './document/document.ts';
import { inheritMapping, listServices, type MappingDefaults, type Services } from './operations/downstream-mapping.ts';
import { readExtensions, type Extension, type Extensions } from './operations/extensions.ts';
import { compileMcpServer, letStreamsRest, type McpSurroundings } from './operations/mcp-server.ts';
import type { Operation } from './operations/operation.ts';
import { placeOf, readSecuritySchemes, type Found } from './operations/operations.ts';
import { SchemaCompiler, type SchemaDialect } from './schema/schemas.ts';
import { adviseServers, listServed } from './served-operations.ts';
import { readServersPath } from './document/servers.ts';
import { isJsonObject, type JsonObject } from '../syntax/json.ts';

/** What is compiled of a document. */
export interface CompiledDocument {
  readonly operations: readonly Operation[];
  /** The same as they are published, by `get /orders` as in the document. */
  readonly published: ReadonlyMap<string, PublishedOperation>;
  /** What stands before the document's paths for callers; empty for nothing. */
  readonly publicPath: string;
  /** The path of the first of its `servers`; `undefined` where there are none that can be read. */
  readonly serversPath: string | undefined;
  /** What stands before the document's paths downstream, by the name of the downstream. */
  readonly pathPrefixes: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Compiles the operations of a document that are served, and tells of everything in them that is wrong.
 *
 * @param index which of the documents of the contract it is
 */
export function compileDocument(
  part: ContractPart,
  index: number,
  services: Services,
  listeners: Listeners,
): CompiledDocument {
  const { source, document } = part;
  const { root, version } = document;
  const { at, prefix } = source;
  const faultAt = (place: string) => (message: string) => listeners.fault(nameAt(at, place), message);
  const extensions = readExtensions(root, 'the document', faultAt(''));
  const defaults = inheritMapping(readDefaults(source, services, listeners), extensions, services, faultAt(''));
  const serversPath = readServers(part, faultAt('/servers/0'));
  const publicPath = prefix ?? serversPath ?? '';
  const schemas = new SchemaCompiler(root, readDialect(extensions.formats, version, faultAt('')));
  const schemes = readSecuritySchemes(root, (place, message) => faultAt(place)(message));
  const common = {
    root,
    schemes,
    schemas,
    services,
    publicPath,
    label: source.name ?? prefix ?? '',
    document: index,
    security: source.security,
    securityFault: once((message) => listeners.fault(`${at}.security`, message)),
  };
  const inherit = createInheritance(defaults, services, faultAt);
  const operations: Operation[] = [];
  const mcpServers = new Map<string, McpSource>();
  const published = new Map<string, PublishedOperation>();
  const pathPrefixes = new Map<string, Set<string>>();
  for (const found of listServed(part, listeners)) {
    const place = placeOf(found);
    const fault = faultAt(place);
    const notice = (message: string, remedy: string): void => listeners.notice(nameAt(at, place), message, remedy);
    const item = inherit(found);
    const own = readExtensions(found.operation.value, 'an operation', fault);
    adviseServers(found, serversPath ?? '', notice);
    const { mapping, mcpServer } = item;
    const operation = compileOperation({ ...found, ...common, extensions: own, mapping, fault, notice });
    operations.push(operation);
    if (isJsonObject(mcpServer?.value) && !mcpServers.has(operation.path)) {
      mcpServers.set(operation.path, { extension: mcpServer.value, schemes, fault: faultAt(found.path), notice });
    }
    const { access, authContext } = operation;
    published.set(`${found.method} ${found.path}`, { access, ...(authContext !== undefined && { authContext }) });
    if (own.path === undefined) {
      notePrefix(pathPrefixes, operation.service, mapping.pathPrefix);
    }
  }
  return { operations: joinMcpServers(operations, mcpServers), published, publicPath, serversPath, pathPrefixes };
}

/** What the MCP server of a path is compiled with. */
interface McpSource extends McpSurroundings {
  readonly extension: JsonObject;
}

/** Tells the operations of each MCP server which one it is, and what its tools ask for. */
function joinMcpServers(
  operations: readonly Operation[],
  sources: ReadonlyMap<string, McpSource>,
): readonly Operation[] {
  const servers = new Map(
    [...sources].flatMap(([path, { extension, ...surroundings }]) => {
      const own = operations.filter((operation) => operation.path === path);
      // They differ in the method alone; only messages that are posted call tools.
      const operation = own.find(({ method }) => method === 'POST') ?? own[0];
      return operation === undefined ? [] : [[path, compileMcpServer(extension, operation, surroundings)] as const];
    }),
  );
  return operations.map((operation) => {
    const { server, tools } = servers.get(operation.path) ?? {};
    return server === undefined
      ? operation
      : { ...operation, ...letStreamsRest(operation), mcpServer: server, ...(tools && { tools }) };
  });
}

function readDefaults({ at, downstream }: ContractSource, services: Services, { fault }: Listeners): MappingDefaults {
  if (downstream !== undefined && !services.has(downstream)) {
    fault(`${at}.downstream`, `found ${JSON.stringify(downstream)}; ${listServices(services)}`);
  }
  const [only] = services;
  return { service: downstream ?? (services.size === 1 ? only : undefined), pathPrefix: '' };
}

/** What a path item says for its operations. */
interface Inherited {
  readonly mapping: MappingDefaults;
  /** Where it is an MCP server. */
  readonly mcpServer: Extension | undefined;
}

/** A path item is read once, however many operations it has. */
function createInheritance(
  defaults: MappingDefaults,
  services: Services,
  faultAt: (place: string) => (message: string) => void,
): (found: Found) => Inherited {
  let last: (Inherited & { readonly path: string }) | undefined;
  return ({ path, item }) => {
    if (last?.path !== path) {
      const extensions: Extensions = readExtensions(item.value, 'a path item', faultAt(path));
      const { mcpServer } = extensions;
      last = { path, mapping: inheritMapping(defaults, extensions, services, faultAt(path)), mcpServer };
    }
    return last;
  };
}

function readServers({ source, document }: ContractPart, fault: (message: string) => void): string | undefined {
  try {
    return readServersPath(document.root);
  } catch (error) {
    if (source.prefix === undefined) {
      fault((error as Error).message);
    }
    return undefined;
  }
}

/**
 * How the schemas of a document are read: as its version says, with the formats that its root wants checked.
 *
 * @param formats the extension of the root, if it has one
 */
export function readDialect(
  formats: Extension | undefined,
  version: ContractDocument['version'],
  fault: (message: string) => void,
): SchemaDialect {
  const { value, written } = formats ?? { value: 'assert', written: '' };
  if (value !== 'assert' && value !== 'annotate') {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: assert, annotate`);
    return { version };
  }
  return { version, formats: value };
}

/** Tells of each thing once. */
function once(tell: (message: string) => void): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (!told.has(message)) {
      told.add(message);
      tell(message);
    }
  };
}

function notePrefix(prefixes: Map<string, Set<string>>, service: string, pathPrefix: string): void {
  const known = prefixes.get(service) ?? new Set();
  prefixes.set(service, known.add(pathPrefix));
}

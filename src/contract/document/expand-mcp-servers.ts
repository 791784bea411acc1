import { escapePointer, isJsonObject, type JsonObject } from '../../syntax/json.ts';
import type { Candidate } from '../openapi/keep-served.ts';
import { dereference } from '../openapi/references.ts';
import { describeMcpOperation } from './mcp-operations.ts';
import { listMcpFaults, MCP_SERVER_KEY } from './mcp-server-faults.ts';

/** The member of `x-gateway` that says the same as the key. */
const MEMBER = 'mcpServer';

/** Who is asked and told about the servers of a document. */
export interface McpListeners {
  /** Told of what is wrong with the path item of a path. */
  readonly fault: (path: string, message: string) => void;
  /** Says which operations are served; faults of others do not count. Default all. */
  readonly serves?: ((candidate: Candidate) => boolean) | undefined;
}

/** A document and what it says of its MCP servers, by their paths. */
export interface ExpandedDocument {
  readonly root: JsonObject;
  readonly servers: ReadonlyMap<string, unknown>;
}

/**
 * Writes the operations of the MCP servers of a document into it: the POST of the Streamable HTTP transport, and the GET
 * and DELETE that its revisions before 2026-07-28 have. From there on they are operations like any other; the path item
 * keeps its `x-mcp-server`.
 *
 * @param known the servers that were expanded before, and stay as they are
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export function expandMcpServers(
  root: JsonObject,
  listeners: McpListeners,
  known: ExpandedDocument['servers'] = new Map(),
): ExpandedDocument {
  const { paths } = root;
  const found = isJsonObject(paths)
    ? Object.keys(paths).flatMap((path) => {
        const item = known.has(path) ? undefined : readItem(root, paths[path]);
        const server = item && readServer(item);
        return item === undefined || server === undefined ? [] : [{ path, item, server }];
      })
    : [];
  if (!isJsonObject(paths) || found.length === 0) {
    return { root, servers: known };
  }
  const items = found.map(({ path, item, server }) => [path, expandItem(path, item, server, listeners)] as const);
  return {
    root: { ...root, paths: { ...paths, ...Object.fromEntries(items) } },
    servers: new Map([...known, ...found.map(({ path, server }) => [path, server] as const)]),
  };
}

function readItem(root: JsonObject, value: unknown): JsonObject | undefined {
  if (!isJsonObject(value)) {
    return undefined;
  }
  try {
    return { ...dereference(root, { value, pointer: '' }).value, ...value };
  } catch {
    // Where it leads is looked at when its file has been read.
    return value;
  }
}

/** True for a path item that is an MCP server. */
export function isMcpServer(item: JsonObject): boolean {
  return readServer(item) !== undefined;
}

function readServer(item: JsonObject): unknown {
  const all = item['x-gateway'];
  return item[MCP_SERVER_KEY] ?? (isJsonObject(all) ? all[MEMBER] : undefined);
}

function expandItem(path: string, item: JsonObject, server: unknown, { fault, serves }: McpListeners): JsonObject {
  const { $ref: _followed, ...rest } = item;
  const settings = isJsonObject(server) ? server : {};
  const methods = settings['legacy'] === false ? ['post'] : ['post', 'get', 'delete'];
  const operations = Object.fromEntries(methods.map((method) => [method, describeMcpOperation(method, settings)]));
  const expanded = { ...rest, ...operations };
  const isServed = methods.some((method) => {
    const operation = { value: operations[method] as JsonObject, pointer: `/paths/${escapePointer(path)}/${method}` };
    const place = { value: expanded, pointer: `/paths/${escapePointer(path)}` };
    return serves === undefined || serves({ path, method, item: place, operation });
  });
  for (const message of isServed ? listMcpFaults(path, item, server) : []) {
    fault(path, message);
  }
  return expanded;
}

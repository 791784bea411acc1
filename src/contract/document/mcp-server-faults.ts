import { editDistance } from '../../syntax/edit-distance.ts';
import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** The key of a path item that is an MCP server. */
export const MCP_SERVER_KEY = 'x-mcp-server';

/** What `x-mcp-server` can have. */
export const MCP_SERVER_KEYS = [
  'service',
  'path',
  'security',
  'legacy',
  'tools',
  'x-auth-context',
  'x-timeout',
  'x-body-limit',
];

/** What one of its tools can have. */
export const MCP_TOOL_KEYS = ['security', 'x-auth-context'];

/** What of a path item is an operation, or holds some. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query', 'additionalOperations'];

/** Lists what is wrong with a path item that is an MCP server, as far as it shows without the rest of the contract. */
export function listMcpFaults(path: string, item: JsonObject, server: unknown): readonly string[] {
  const own = METHODS.filter((method) => item[method] !== undefined);
  return [
    ...(own.length > 0
      ? [
          `has ${MCP_SERVER_KEY} and ${own.join(', ')}; an MCP server has no operations of its own, so leave one of them out`,
        ]
      : []),
    ...(path.includes('{')
      ? [`has ${MCP_SERVER_KEY} at a path with a parameter; each MCP server has a path of its own`]
      : []),
    ...(item['parameters'] === undefined
      ? []
      : [`has ${MCP_SERVER_KEY} and parameters, which its messages do not have`]),
    ...listServerFaults(server),
  ];
}

function listServerFaults(server: unknown): readonly string[] {
  if (!isJsonObject(server)) {
    return [`has the ${MCP_SERVER_KEY} ${JSON.stringify(server)}; allowed: a map of keys`];
  }
  const { legacy = true, tools = {} } = server;
  return [
    ...listUnknown(server, MCP_SERVER_KEYS, MCP_SERVER_KEY),
    ...(typeof legacy === 'boolean'
      ? []
      : [`has the ${MCP_SERVER_KEY} legacy ${JSON.stringify(legacy)}; allowed: true or false`]),
    ...(isJsonObject(tools)
      ? Object.entries(tools).flatMap(([name, tool]) => listToolFaults(name, tool))
      : [
          `has the ${MCP_SERVER_KEY} tools ${JSON.stringify(tools)}; allowed: a map of the names of tools and their rules`,
        ]),
  ];
}

function listToolFaults(name: string, tool: unknown): readonly string[] {
  const written = `${MCP_SERVER_KEY} tools ${name}`;
  if (!isJsonObject(tool) || Object.keys(tool).length === 0) {
    return [`has the ${written} ${JSON.stringify(tool)}; allowed: ${MCP_TOOL_KEYS.join(' and ')}`];
  }
  return listUnknown(tool, MCP_TOOL_KEYS, written);
}

function listUnknown(value: JsonObject, known: readonly string[], written: string): readonly string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = known.find((name) => editDistance(key.toLowerCase(), name) <= 2);
      return `has the unknown key ${key} in ${written}; ${meant === undefined ? `known: ${known.join(', ')}` : `did you mean ${meant}?`}`;
    });
}

import type { JsonObject } from '../../syntax/json.ts';

/** The tag of the operations, by which those who read what is published know them. */
export const MCP_TAG = 'MCP';

/** What of a server says the same of an operation. */
const OPERATION_KEYS = ['security', 'x-auth-context', 'x-timeout', 'x-body-limit'] as const;

/**
 * Describes an operation of an MCP server as OpenAPI has it.
 *
 * @param method in lower case: `post`, `get` or `delete`
 * @param server the value of `x-mcp-server`
 */
export function describeMcpOperation(method: string, server: JsonObject): JsonObject {
  const { service, path: behind } = server;
  const own = OPERATION_KEYS.filter((key) => server[key] !== undefined).map((key) => [key, server[key]]);
  return {
    tags: [MCP_TAG],
    ...DESCRIPTIONS[method],
    'x-downstream': { ...(service !== undefined && { service }), ...(behind !== undefined && { path: behind }) },
    ...Object.fromEntries(own),
  };
}

/** A message that every revision knows, and that changes nothing. */
const HARMLESS = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

const EVENT_STREAM = { 'text/event-stream': {} };

const DESCRIPTIONS: Readonly<Record<string, JsonObject>> = {
  post: {
    summary: 'Sends a message to the MCP server.',
    requestBody: { content: { 'application/json': { example: HARMLESS } } },
    responses: {
      '200': {
        description: 'The answer, or a stream that ends with it.',
        content: { 'application/json': {}, ...EVENT_STREAM },
      },
      '202': { description: 'The message was taken, and nothing answers it.' },
    },
  },
  get: {
    summary: 'Opens a stream of messages of the MCP server, in revisions before 2026-07-28.',
    responses: { '200': { description: 'The stream.', content: EVENT_STREAM } },
  },
  delete: {
    summary: 'Ends a session of the MCP server, in revisions before 2026-07-28.',
    responses: { '200': { description: 'The session is over.' } },
  },
};

import type { CallRequest } from './call.ts';

/** What a client of an MCP server sends: it connects, calls a tool, and one that asks for an authentication context. */
export const MCP_CALLS: readonly CallRequest[] = [
  message('connects', 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'playground', version: '1.0.0' },
  }),
  callTool('list_messages'),
  callTool('export_mailbox'),
];

function callTool(name: string): CallRequest {
  return message(`calls ${name}`, 'tools/call', { name, arguments: {} });
}

function message(about: string, method: string, params: object): CallRequest {
  return {
    method: 'POST',
    path: '/mailbox/mcp',
    about,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    mediaType: 'application/json',
    accept: 'application/json, text/event-stream',
  };
}

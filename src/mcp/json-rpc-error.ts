import type { GatewayError } from '../failures.ts';
import type { ErrorAnswer } from '../http/answer-failure.ts';

/**
 * Writes the refusal of a message as the error of JSON-RPC that MCP clients read.
 *
 * @returns `undefined` for every failure that is not about a message
 * @example a tool that the header and the body call differently
 * {"jsonrpc":"2.0","id":7,"error":{"code":-32020,"message":"Mcp-Name and the message differ; send the same in both."}}
 *
 * @see https://www.jsonrpc.org/specification#error_object
 */
export function toJsonRpcError({ message, rule, facts: { jsonRpc } }: GatewayError): ErrorAnswer | undefined {
  return (
    jsonRpc && {
      status: rule.status,
      body: { jsonrpc: '2.0', id: jsonRpc.id, error: { code: jsonRpc.code, message } },
    }
  );
}

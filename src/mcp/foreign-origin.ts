import { GatewayError } from '../failures.ts';

/**
 * Refuses the pages of foreign origins, as MCP servers have to: a page could otherwise reach one in the network of its
 * visitor by a name that leads there (DNS rebinding).
 *
 * @param origin the header; absent where no page calls
 * @param allowed the gateway's own origin, and those of `server.cors.origins`
 * @throws {GatewayError} `access_denied`
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
 */
export function refuseForeignOrigin(origin: string | undefined, allowed: ReadonlySet<string>): void {
  if (origin !== undefined && !allowed.has(origin)) {
    throw new GatewayError('access_denied', {
      detail: 'Pages of this origin may not call this API.',
      log: {
        reason: 'a page of a foreign origin called an MCP server',
        remedy: 'Add its origin to server.cors.origins if its pages are to call the MCP servers.',
      },
    });
  }
}

import { resourceOf, type McpServer } from '../contract/operations/mcp-server.ts';
import { wellKnownPath } from '../contract/own-paths.ts';

/** An MCP server as a protected resource of OAuth (RFC 9728), at the address by which clients reach it. */
export interface McpResource {
  readonly server: McpServer;
  /** What clients send as `resource` (RFC 8707), and an Application ID URI of the gateway's registration at Entra. */
  readonly resource: string;
  /** The path of its metadata: the well-known part is between the host and the path of the resource. */
  readonly metadataPath: string;
  /** The whole address of its metadata, which its challenges name. */
  readonly metadataUrl: string;
}

/**
 * Describes an MCP server as a resource.
 *
 * @param publicUrl how clients reach the gateway, without a slash at the end; its path counts
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1
 */
export function describeMcpResource(publicUrl: string, server: McpServer): McpResource {
  const resource = resourceOf(publicUrl, server);
  const url = new URL(resource);
  const path = wellKnownPath('resource', url);
  return { server, resource, metadataPath: path, metadataUrl: `${url.origin}${path}` };
}

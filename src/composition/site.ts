import type { ChallengeFrame } from '../challenge/www-authenticate.ts';
import type { Contract } from '../contract/contract.ts';
import type { McpServer } from '../contract/operations/mcp-server.ts';
import { wellKnownPath } from '../contract/own-paths.ts';
import { createSecurityHeaders, type SecurityHeaders } from '../http/security-headers.ts';
import { describeMcpResource, type McpResource } from '../mcp/mcp-resource.ts';
import type { Core } from './core.ts';

/** What depends on the address by which callers reach the gateway, or the application. */
export interface Site {
  /** The address itself, as gateway.yaml writes it; absent in an application that does not say it. */
  readonly resource: string | undefined;
  readonly publicUrl: URL | undefined;
  readonly frame: ChallengeFrame;
  readonly security: SecurityHeaders;
  /** The MCP servers of the contract, as clients reach them; none where nobody says how. */
  readonly mcpResources: ReadonlyMap<McpServer, McpResource>;
}

/**
 * Describes the place of a gateway.
 *
 * @param resource how clients reach it, without a slash at the end; `undefined` where nobody says it
 */
export function describeSite(
  resource: string | undefined,
  { mcpServers }: Pick<Contract, 'mcpServers'>,
  { keys, authority, clientId }: Core,
): Site {
  const publicUrl = resource === undefined ? undefined : new URL(resource);
  return {
    resource,
    publicUrl,
    frame: {
      // Read for each challenge, because the metadata of Entra may arrive after the first requests.
      get authorizationUri() {
        return authority.challengeUri(keys.issuerOf('v2', authority.tenant));
      },
      clientId,
      resourceMetadata: publicUrl && `${publicUrl.origin}${wellKnownPath('resource', publicUrl)}`,
    },
    security: createSecurityHeaders(publicUrl),
    mcpResources: new Map(
      resource === undefined ? [] : mcpServers.map((server) => [server, describeMcpResource(resource, server)]),
    ),
  };
}

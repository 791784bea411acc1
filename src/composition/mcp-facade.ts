import { isDeepStrictEqual } from 'node:util';
import type { GatewayConfig } from '../config/load-config.ts';
import type { FacadeServer } from '../mcp/facade/facade-server.ts';
import { McpFacade, type McpFacadeOptions } from '../mcp/facade/mcp-facade.ts';
import type { McpResource } from '../mcp/mcp-resource.ts';
import type { Core } from './core.ts';
import type { Site } from './site.ts';

/** What a façade is made of besides the core. */
export interface FacadeParts {
  readonly config: GatewayConfig;
  readonly site: Pick<Site, 'mcpResources'>;
  readonly trustedProxies: McpFacadeOptions['trustedProxies'];
  /** The deployment that counted before; absent at the start. */
  readonly before: { readonly config: GatewayConfig; readonly mcpFacade: McpFacade | undefined } | undefined;
}

/**
 * Opens the authorization façade of the MCP servers that people connect to, if gateway.yaml turns it on; where all is as
 * before, its rate limits go on counting.
 */
export function openMcpFacade(
  { config, site, trustedProxies, before }: FacadeParts,
  { authority, http, bodyMemory, clocks }: Core,
): McpFacade | undefined {
  const { mcp, identity } = config;
  if (mcp?.authorizationServer !== 'facade') {
    return undefined;
  }
  if (before?.mcpFacade !== undefined && isDeepStrictEqual(settingsOf(config), settingsOf(before.config))) {
    return before.mcpFacade;
  }
  return new McpFacade({
    servers: [...site.mcpResources.values()].map(describe).filter(({ connectScopes }) => connectScopes.length > 0),
    clients: identity.allowedClients,
    sharedClientId: mcp.register ? mcp.clientId : undefined,
    authorizationEndpoint: authority.authorizeEndpoint(authority.tenant),
    tokenEndpoint: authority.tokenEndpoint(authority.tenant),
    rateLimit: mcp.rateLimit,
    trustedProxies,
    http,
    bodyMemory,
    ...clocks,
  });
}

function describe({ server: { path, scopes, tools }, resource }: McpResource): FacadeServer {
  return {
    path,
    resource,
    connectScopes: scopes,
    scopes: [...new Set([...scopes, ...tools.flatMap((tool) => tool.scopes)])],
  };
}

function settingsOf({ mcp, identity, server, contract }: GatewayConfig): readonly unknown[] {
  return [mcp, identity.allowedClients, server.trustedProxies, server.publicUrl, contract.mcpServers];
}

import { namePublicUrl } from '../config/fill-defaults.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { resourceOf } from '../contract/operations/mcp-server.ts';
import { pass, warn, type Row } from './row.ts';

/** An MCP server as Entra sees it. */
interface KnownServer {
  readonly path: string;
  /** What clients send as `resource`. */
  readonly resource: string;
  /** What clients ask for: to connect, and for its tools. */
  readonly scopes: readonly string[];
  /** True where clients ask the façade, which keeps `resource` from Entra. */
  readonly hasFacade: boolean;
}

/** What of the MCP servers of the contract fails at Entra, although the gateway serves it. */
export function adviseMcpServers({ contract, server, identity, mcp }: GatewayConfig): Row[] {
  const publicUrl = namePublicUrl(server, server.port);
  const isFacadeOn = mcp?.authorizationServer === 'facade';
  const servers = contract.mcpServers.map((mcpServer): KnownServer => {
    const { path, scopes, tools } = mcpServer;
    return {
      path,
      resource: resourceOf(publicUrl, mcpServer),
      scopes: [...new Set([...scopes, ...tools.flatMap((tool) => tool.scopes)])],
      hasFacade: isFacadeOn && scopes.length > 0,
    };
  });
  const named = servers.filter(
    ({ scopes, resource, hasFacade }) => !hasFacade || scopes.some((scope) => scope.startsWith(`${resource}/`)),
  );
  return [
    ...servers.map((known) => (known.hasFacade ? adviseFacadeScopes(known) : adviseScopes(known))),
    ...(named.length === 0 ? [] : [adviseTokens(identity, new Set(named.map(({ resource }) => resource)))]),
  ];
}

/**
 * Entra takes a `resource` only where it is an Application ID URI of the registration that has the scopes, letter by
 * letter.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
function adviseScopes({ path, resource, scopes }: KnownServer): Row {
  const check = nameCheck(path);
  const slashed = scopes.filter((scope) => idUriOf(scope) === `${resource}/`);
  if (slashed.length > 0) {
    return warn(check, slashed.join(', '), {
      reason: `they belong to the Application ID URI ${resource}/, and clients send resource=${resource}: AADSTS9010010`,
      remedy: `register the Application ID URI without the slash at its end, and write the scopes as ${resource}/name`,
    });
  }
  const foreign = scopes.filter((scope) => idUriOf(scope) !== resource);
  if (foreign.length > 0) {
    return warn(check, foreign.join(', '), {
      reason: `clients ask for them with resource=${resource}, and Entra refuses scopes of another Application ID URI: AADSTS9010010`,
      remedy: `add the Application ID URI ${resource} to the registration of the gateway, and write the scopes of the server as ${resource}/name; or correct server.publicUrl`,
    });
  }
  return pass(check, scopes.length === 0 ? `${resource}; no scopes` : resource);
}

/** Without a `resource`, Entra takes scopes of any Application ID URI, and of one at a time. */
function adviseFacadeScopes({ path, resource, scopes }: KnownServer): Row {
  const check = nameCheck(path);
  const remedy = 'write the scopes as {Application ID URI}/name, all of them with the same one of the gateway';
  const bare = scopes.filter((scope) => idUriOf(scope) === '');
  if (bare.length > 0) {
    return warn(check, bare.join(', '), {
      reason: 'for Entra, scopes without an Application ID URI are those of Microsoft Graph',
      remedy,
    });
  }
  const [first = ''] = scopes;
  const foreign = scopes.filter((scope) => idUriOf(scope) !== idUriOf(first));
  if (foreign.length > 0) {
    return warn(check, foreign.join(', '), {
      reason: `clients ask for them together with ${first}, and Entra gives one token for one resource`,
      remedy,
    });
  }
  return pass(check, `${resource}; the façade keeps it from Entra`);
}

function nameCheck(path: string): string {
  return `MCP server ${path}: resource`;
}

/** What stands before the name of a scope; empty where that is all of it. */
function idUriOf(scope: string): string {
  return scope.slice(0, Math.max(0, scope.lastIndexOf('/')));
}

/** Entra registers the address of an MCP server as Application ID URI only for tokens whose `aud` is the client id. */
function adviseTokens({ audiences, clientId }: GatewayConfig['identity'], resources: ReadonlySet<string>): Row {
  const check = 'MCP servers: tokens';
  const named = audiences.filter((audience) => resources.has(audience.replace(/\/$/, '')));
  if (audiences.includes(clientId.toLowerCase()) && named.length === 0) {
    return pass(check, 'their aud is the client id');
  }
  return warn(check, audiences.join(', '), {
    reason: 'the `aud` of tokens for MCP servers is the client id, as tokens of v2 have it, and never their address',
    remedy: `set requestedAccessTokenVersion: 2 in the registration of the gateway, or for v1 the optional claim aud with use_guid; and accept ${clientId.toLowerCase()} in place of addresses of MCP servers`,
    key: 'identity.audiences',
  });
}

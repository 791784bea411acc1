import type { GatewayConfig } from '../config/load-config.ts';
import { OWN_PATHS, wellKnownPath } from '../contract/own-paths.ts';
import type { Operation } from '../contract/operations/operation.ts';
import { createResourceMetadata } from '../http/resource-metadata.ts';
import type { McpFacade } from '../mcp/facade/mcp-facade.ts';
import type { Core } from './core.ts';
import type { Site } from './site.ts';

/** The headers of the answers of MCP servers that pages need (the Streamable HTTP transport). */
export const MCP_HEADERS = ['Mcp-Session-Id', 'MCP-Protocol-Version'] as const;

/** What the resources of a deployment are described with. */
interface Deployed {
  readonly config: Pick<GatewayConfig, 'contract'>;
  readonly site: Site;
}

/**
 * Makes what writes the metadata of the API as a whole, by the paths where clients look.
 *
 * @param resource how clients reach it, without a slash at the end
 */
export function describeApi(
  resource: string,
  { config: { contract } }: Pick<Deployed, 'config'>,
  core: Core,
): ReadonlyMap<string, () => string> {
  const write = (): string => describe({ resource, scopes: contract.scopes }, contract.title, core);
  return new Map([OWN_PATHS.metadata, wellKnownPath('resource', new URL(resource))].map((path) => [path, write]));
}

/** Makes what writes the metadata of the MCP servers, each a resource of its own, by the paths where clients look. */
export function describeServers(
  { config: { contract }, site: { mcpResources }, mcpFacade }: Deployed & { readonly mcpFacade: McpFacade | undefined },
  core: Core,
): ReadonlyMap<string, () => string> {
  return new Map(
    [...mcpResources.values()].map(({ server: { path, scopes }, resource, metadataPath }) => [
      metadataPath,
      () => describe({ resource, scopes, issuer: mcpFacade?.issuerOf(path) }, contract.title, core),
    ]),
  );
}

/** A resource, and its authorization server; default Entra. */
interface DescribedResource {
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly issuer?: string | undefined;
}

/** The issuer of Entra is asked for each time, because it is what Entra's own metadata say. */
function describe({ resource, scopes, issuer }: DescribedResource, name: string, { authority, keys }: Core): string {
  const named = issuer ?? authority.nameIssuer(keys.issuerOf('v2', authority.tenant));
  return createResourceMetadata({ resource, issuer: named, name, scopes });
}

/** Makes what names the metadata of the resource that an operation belongs to, where that is not the whole API. */
export function createMetadataNames({ mcpResources }: Site): (operation: Operation) => string | undefined {
  return ({ mcpServer }) => mcpServer && mcpResources.get(mcpServer)?.metadataUrl;
}

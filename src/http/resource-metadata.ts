/** The facts behind the RFC 9728 metadata. */
export interface ResourceMetadataFacts {
  /** How clients reach the API, or one of its MCP servers. */
  readonly resource: string;
  /** The issuer that Entra's own metadata name, so that clients find those. */
  readonly issuer: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/**
 * Writes the protected resource metadata of the API as JSON text (RFC 9728 §2).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
 */
export function createResourceMetadata({ resource, issuer, name, scopes }: ResourceMetadataFacts): string {
  return JSON.stringify({
    resource,
    resource_name: name,
    authorization_servers: [issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
  });
}

/**
 * Names the path of a resource's metadata: the well-known part is between host and path (RFC 9728 §3.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1
 */
export function metadataPath(publicUrl: URL): string {
  return `${WELL_KNOWN}${publicUrl.pathname.replace(/\/$/, '')}`;
}

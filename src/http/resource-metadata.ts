/** What RFC 9728 metadata is made of. */
export interface ResourceMetadataFacts {
  /** How clients reach the API. */
  readonly publicUrl: string;
  /** The one that Entra names in its own metadata, so that clients find it there. */
  readonly issuer: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The protected resource metadata of the API as JSON text (RFC 9728 §2). */
export function createResourceMetadata({ publicUrl, issuer, name, scopes }: ResourceMetadataFacts): string {
  return JSON.stringify({
    resource: publicUrl,
    resource_name: name,
    authorization_servers: [issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
  });
}

/** Where the metadata of a resource is: the well-known part stands between host and path (RFC 9728 §3.1). */
export function metadataPath(publicUrl: URL): string {
  return `${WELL_KNOWN}${publicUrl.pathname.replace(/\/$/, '')}`;
}

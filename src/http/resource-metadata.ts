/** What RFC 9728 metadata is made of. */
export interface ResourceMetadataFacts {
  /** How clients reach the API. */
  readonly publicUrl: string;
  readonly issuer: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

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

import type { Contract, ServedDocument } from '../contract/contract.ts';
import { publishDocument } from '../contract/document/publish.ts';
import type { Authority } from '../entra/authority.ts';

/** Where a contract is published, and who signs its callers in. */
export interface PublicationPlace {
  /**
   * How clients reach the gateway, without a slash at the end; `undefined` in an application, which decides itself below
   * which path the contract is served.
   */
  readonly publicUrl: string | undefined;
  readonly authority: Authority;
}

/**
 * The documents of a contract for clients, by the paths at which they are. Each is written when it is first asked for: a
 * large one would delay the start.
 */
export function publishContract(
  { documents }: Pick<Contract, 'documents'>,
  place: PublicationPlace,
): ReadonlyMap<string, () => string> {
  return new Map(
    documents.map((served) => {
      let text: string | undefined;
      return [served.ownPath, () => (text ??= publish(served, place))];
    }),
  );
}

function publish(
  { document, source, publicPath, published }: ServedDocument,
  { publicUrl, authority }: PublicationPlace,
): string {
  const { tenant } = authority;
  const text = publishDocument(document, {
    // A relative address counts from that of the document, which is below the prefix (OpenAPI 3.1 §4.8.5).
    serverUrl:
      publicUrl === undefined ? `.${publicPath.slice((source.prefix ?? '').length)}` : `${publicUrl}${publicPath}`,
    authority: {
      authorizationUrl: authority.authorizeEndpoint(tenant),
      tokenUrl: authority.tokenEndpoint(tenant),
      deviceAuthorizationUrl: authority.deviceAuthorizationEndpoint(tenant),
      openIdConfigurationUrl: authority.metadataUrl('v2'),
    },
    operations: published,
    ...(source.security && { security: source.security }),
  });
  return JSON.stringify(text);
}

import type { GatewayConfig } from '../config/load-config.ts';
import { readTitle } from '../contract/contract.ts';
import type { Authority } from '../entra/authority.ts';

/** What the page is told; it gets it as JSON. */
export interface PageSettings {
  /** How clients reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
  /** The documents to choose from: what they call themselves, and the paths at which they are published. */
  readonly documents: readonly { readonly title: string; readonly path: string }[];
  /** Absent where the page has no app registration: then people paste a token. */
  readonly signIn?: PageSignIn;
}

/** How people sign in on the page: with an authorization code and PKCE (RFC 7636). */
export interface PageSignIn {
  /** That of the page's own app registration, a single-page application. */
  readonly clientId: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** What stands before a scope that names no resource. */
  readonly resource: string;
}

/**
 * Writes down what the page has to know.
 *
 * @param publicUrl how clients reach the gateway, without a slash at the end
 */
export function describePage(config: GatewayConfig, publicUrl: string, authority: Authority): PageSettings {
  const { server, identity, contract } = config;
  const documents = contract.documents.map(({ document, ownPath }) => ({
    title: readTitle(document.root['info']),
    path: ownPath,
  }));
  if (typeof server.docs !== 'object') {
    return { publicUrl, documents };
  }
  return {
    publicUrl,
    documents,
    signIn: {
      clientId: server.docs.clientId,
      authorizationUrl: authority.authorizeEndpoint(authority.tenant),
      tokenUrl: authority.tokenEndpoint(authority.tenant),
      resource: identity.audiences.find((audience) => audience.includes('://')) ?? identity.clientId,
    },
  };
}

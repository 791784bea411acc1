/**
 * What comes before the path of an address in the path of its metadata.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3.1
 */
const WELL_KNOWN = {
  resource: '/.well-known/oauth-protected-resource',
  authorizationServer: '/.well-known/oauth-authorization-server',
} as const;

/** The paths that the gateway answers itself; each further document of the contract has its own below its prefix. */
export const OWN_PATHS = { contract: '/openapi.json', metadata: WELL_KNOWN.resource } as const;

/**
 * Names the path of the metadata of a resource or an authorization server: the well-known part is between host and path.
 *
 * @param address that of the resource, or the issuer
 */
export function wellKnownPath(of: keyof typeof WELL_KNOWN, { pathname }: Pick<URL, 'pathname'>): string {
  return `${WELL_KNOWN[of]}${pathname.replace(/\/$/, '')}`;
}

/** Where the page of the documents is, if gateway.yaml turns it on; what it loads is below. */
export const DOCUMENTATION_PATH = '/docs';

/** Where the document of a contract is published. */
export function documentPath(prefix: string): string {
  return `${prefix}${OWN_PATHS.contract}`;
}

/** What the authorization façade of an MCP server answers below the path of the server, where gateway.yaml turns it on. */
export const FACADE_PATHS = { authorize: '/authorize', token: '/token', register: '/register' } as const;

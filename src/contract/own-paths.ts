/** The paths that the gateway answers itself; each further document of the contract has its own below its prefix. */
export const OWN_PATHS = { contract: '/openapi.json', metadata: '/.well-known/oauth-protected-resource' } as const;

/** Where the page of the documents is, if gateway.yaml turns it on; what it loads is below. */
export const DOCUMENTATION_PATH = '/docs';

/** Where the document of a contract is published. */
export function documentPath(prefix: string): string {
  return `${prefix}${OWN_PATHS.contract}`;
}

/** What the authorization façade of an MCP server answers below the path of the server, where gateway.yaml turns it on. */
export const FACADE_PATHS = { authorize: '/authorize', token: '/token', register: '/register' } as const;

/** The paths that the gateway answers itself. */
export const OWN_PATHS = { contract: '/openapi.json', metadata: '/.well-known/oauth-protected-resource' } as const;

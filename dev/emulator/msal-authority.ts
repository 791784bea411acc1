/** MSAL accepts only https authorities; nobody answers at this name, as all endpoints are given below. */
const AUTHORITY_HOST = 'entra-emulator.localhost';

/** The part of MSAL's `auth` settings that says where Entra is, the same for MSAL Node and MSAL Browser. */
export interface MsalAuthority {
  authority: string;
  knownAuthorities: string[];
  cloudDiscoveryMetadata: string;
  authorityMetadata: string;
}

/** MSAL's settings for an emulator at an origin: no discovery, and every endpoint on loopback. */
export function describeAuthority(origin: string, tenantId: string): MsalAuthority {
  const name = `https://${AUTHORITY_HOST}/{tenantid}`;
  const tenant = `${origin}/{tenantid}`;
  return {
    authority: `https://${AUTHORITY_HOST}/${tenantId}`,
    knownAuthorities: [AUTHORITY_HOST],
    cloudDiscoveryMetadata: JSON.stringify({
      tenant_discovery_endpoint: `${name}/v2.0/.well-known/openid-configuration`,
      metadata: [{ preferred_network: AUTHORITY_HOST, preferred_cache: AUTHORITY_HOST, aliases: [AUTHORITY_HOST] }],
    }),
    authorityMetadata: JSON.stringify({
      issuer: `${name}/v2.0`,
      authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${tenant}/oauth2/v2.0/token`,
      end_session_endpoint: `${tenant}/oauth2/v2.0/logout`,
      jwks_uri: `${tenant}/discovery/v2.0/keys`,
    }),
  };
}

/**
 * Where the examples find Entra: here the emulator of `npm start`. For the real one put this in place of the file:
 *
 *   export const entra = { authority: 'https://login.microsoftonline.com/<tenant id>' };
 */
const { ENTRA_URL = 'http://localhost:8081', TENANT_ID = '72f988bf-86f1-41af-91ab-2d7cd011db47' } = process.env;

/** MSAL takes https authorities only. Nobody answers at this name: MSAL is told every address of the emulator. */
const NAME = 'entra-emulator.localhost';

/** Settings of MSAL, for the `auth` of any client. */
export const entra = {
  authority: `https://${NAME}/${TENANT_ID}`,
  knownAuthorities: [NAME],
  cloudDiscoveryMetadata: JSON.stringify({
    tenant_discovery_endpoint: `https://${NAME}/{tenantid}/v2.0/.well-known/openid-configuration`,
    metadata: [{ preferred_network: NAME, preferred_cache: NAME, aliases: [NAME] }],
  }),
  authorityMetadata: JSON.stringify({
    issuer: `https://${NAME}/{tenantid}/v2.0`,
    authorization_endpoint: `${ENTRA_URL}/{tenantid}/oauth2/v2.0/authorize`,
    token_endpoint: `${ENTRA_URL}/{tenantid}/oauth2/v2.0/token`,
    jwks_uri: `${ENTRA_URL}/{tenantid}/discovery/v2.0/keys`,
  }),
};

/**
 * A command-line tool: device code. The user signs in with any browser, on this machine or another.
 *
 * At Entra: an app registration with "Allow public client flows" and the delegated permission Profile.Read of the
 * gateway. No redirect URI, no secret.
 *
 *   npm start                                           in another terminal
 *   npx tsx examples/command-line/main.ts [/me/messages]
 *
 * Adele's profile comes at once. Megan meets a claims challenge (a policy wants MFA), the newcomer gives a consent.
 */
import { PublicClientApplication } from '@azure/msal-node';
import { entra } from '../entra.ts';
import { callAndRecover, type TokenDemand } from '../recover/call-and-recover.ts';
import { needsUser } from '../recover/msal-node.ts';
import { print, showConsent, wait } from '../terminal.ts';

const { GATEWAY_URL = 'http://localhost:8080', CLIENT_ID = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807' } = process.env;
const scopes = ['api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Profile.Read'];
const path = process.argv[2] ?? '/me';

const msal = new PublicClientApplication({ auth: { ...entra, clientId: CLIENT_ID, clientCapabilities: ['cp1'] } });

/** From the cache or with a refresh token; with a device code where the user is needed. */
async function getToken({ claims, forceRefresh = false, interactive = false }: TokenDemand): Promise<string> {
  const request = { scopes, ...(claims !== undefined && { claims }) };
  const [account] = await msal.getAllAccounts();
  try {
    if (account && !interactive) {
      return (await msal.acquireTokenSilent({ ...request, account, forceRefresh })).accessToken;
    }
  } catch (error) {
    if (!needsUser(error)) {
      throw error;
    }
  }
  const token = await msal.acquireTokenByDeviceCode({
    ...request,
    deviceCodeCallback: ({ message }) => console.error(message),
  });
  if (!token) {
    throw new Error('The sign-in was given up.');
  }
  return token.accessToken;
}

await print(await callAndRecover({ getToken, showConsent, wait }, GATEWAY_URL + path));

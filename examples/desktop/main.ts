/**
 * A desktop program: authorization code with PKCE; Entra's answer comes to a port of this machine (loopback).
 *
 * At Entra: an app registration with the platform "Mobile and desktop applications" and the redirect URI
 * http://localhost, which matches any port; the delegated permission Profile.Read of the gateway. No secret.
 *
 *   npm start                                           in another terminal
 *   npx tsx examples/desktop/main.ts [/me/messages]
 *
 * Adele's profile comes at once. Megan meets a claims challenge (a policy wants MFA), the newcomer gives a consent.
 */
import { PublicClientApplication } from '@azure/msal-node';
import { entra } from '../entra.ts';
import { callAndRecover, type TokenDemand } from '../recover/call-and-recover.ts';
import { acquireToken } from '../recover/msal-node.ts';
import { print, showConsent, wait } from '../terminal.ts';

const { GATEWAY_URL = 'http://localhost:8080', CLIENT_ID = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807' } = process.env;
const scopes = ['api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Profile.Read'];
const path = process.argv[2] ?? '/me';

const msal = new PublicClientApplication({ auth: { ...entra, clientId: CLIENT_ID, clientCapabilities: ['cp1'] } });

/** A real program starts the browser itself, for example with the package `open`. */
async function openBrowser(url: string): Promise<void> {
  console.error(`Sign in at\n${url}`);
}

const { account } = await msal.acquireTokenInteractive({ scopes, openBrowser });
if (!account) {
  throw new Error('Entra named no account.');
}
const session = { msal, account, scopes, openBrowser };

/** Without the user where that is possible; MSAL renews tokens from its cache. */
async function getToken(demand: TokenDemand): Promise<string> {
  return (await acquireToken(session, demand)).accessToken;
}

await print(await callAndRecover({ getToken, showConsent, wait }, GATEWAY_URL + path));

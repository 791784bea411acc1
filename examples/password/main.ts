/**
 * A program that takes a user name and a password (ROPC), until more is wanted: a password is one factor, and there is
 * no page on which to prove another. Integrated Windows authentication meets the same, with the same answers.
 * Microsoft advises against this flow: it is for a program that cannot change yet.
 *
 * At Entra: an app registration with "Allow public client flows" and the delegated permission Profile.Read of the
 * gateway. Not for guests, federated accounts and accounts without a password, and never with the tenant `common`.
 *
 *   npm start                                                             in another terminal
 *   npx tsx examples/password/main.ts [/me/messages]                      as Adele
 *   SIGN_IN_NAME=megan@contoso.com SIGN_IN_PASSWORD=demo-password-of-megan npx tsx examples/password/main.ts
 *
 * The password does for Adele. For Megan the gateway answers 401 with claims (a policy of Graph wants MFA), Entra
 * refuses them to the password with AADSTS50076, and the program moves on to a device code.
 */
import { PublicClientApplication, type AuthenticationResult } from '@azure/msal-node';
import { entra } from '../entra.ts';
import { callAndRecover, type TokenDemand } from '../recover/call-and-recover.ts';
import { needsUser } from '../recover/msal-node.ts';
import { print, showConsent, wait } from '../terminal.ts';

const {
  GATEWAY_URL = 'http://localhost:8080',
  CLIENT_ID = 'c9a5b7e1-0d3f-4c28-8e6a-91f2d4b3a807',
  SIGN_IN_NAME: username = 'adele@contoso.com',
  SIGN_IN_PASSWORD: password = 'demo-password-of-adele',
} = process.env;
const scopes = ['api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Profile.Read'];
const path = process.argv[2] ?? '/me';

const msal = new PublicClientApplication({ auth: { ...entra, clientId: CLIENT_ID, clientCapabilities: ['cp1'] } });

/** With the password as long as that is enough; from then on with a device code. */
async function getToken(demand: TokenDemand): Promise<string> {
  const request = { scopes, ...(demand.claims !== undefined && { claims: demand.claims }) };
  const token =
    (await getTokenAlone(demand)) ??
    (await msal.acquireTokenByDeviceCode({
      ...request,
      deviceCodeCallback: ({ message }) => console.error(message),
    }));
  if (!token) {
    throw new Error('The sign-in was given up.');
  }
  return token.accessToken;
}

/** Null where a password is not enough. */
async function getTokenAlone(demand: TokenDemand): Promise<AuthenticationResult | null> {
  const { claims, forceRefresh = false, interactive = false } = demand;
  if (interactive) {
    return null;
  }
  const request = { scopes, ...(claims !== undefined && { claims }) };
  const [account] = await msal.getAllAccounts();
  try {
    return account
      ? await msal.acquireTokenSilent({ ...request, account, forceRefresh })
      : await msal.acquireTokenByUsernamePassword({ ...request, username, password });
  } catch (error) {
    if (!needsUser(error)) {
      throw error;
    }
    console.error(`Entra wants more than a password (${/AADSTS\d+/.exec(String(error))?.[0]}).`);
    return null;
  }
}

await print(await callAndRecover({ getToken, showConsent, wait }, GATEWAY_URL + path));

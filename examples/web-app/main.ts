/**
 * A web app that makes its pages on the server: authorization code, confidential client, a cookie for the session.
 *
 * At Entra: an app registration with the platform "Web", the redirect URI http://localhost:3001/signed-in, a client
 * secret (better: a certificate), and the delegated permissions Profile.Read and Orders.Read of the gateway.
 *
 *   npm start                                           in another terminal
 *   npx tsx examples/web-app/main.ts                    then open http://localhost:3001
 *
 * Adele's page comes after her sign-in. Megan is sent to Entra again with the claims of the challenge (a policy wants
 * MFA) and comes back to the page she wanted. The newcomer gets a link to the consent page.
 */
import { ConfidentialClientApplication, CryptoProvider } from '@azure/msal-node';
import express from 'express';
import { entra } from '../entra.ts';
import { callAndRecover, type TokenDemand } from '../recover/call-and-recover.ts';
import { needsUser } from '../recover/msal-node.ts';
import { findNextStep } from '../recover/next-step.ts';
import { showPage } from './page.ts';
import { findSession, rememberSession, type Session } from './session.ts';

const {
  GATEWAY_URL = 'http://localhost:8080',
  PORT = '3001',
  PUBLIC_URL = `http://localhost:${PORT}`,
  CLIENT_ID = '3d8b6f24-5c17-4e9a-a1d3-70b2c4e5f691',
  CLIENT_SECRET = 'demo-secret-of-the-web-app',
} = process.env;
const scopes = ['Profile.Read', 'Orders.Read'].map((name) => `api://6e74172b-be56-4843-9ff4-e66a39bb12e3/${name}`);
const auth = { ...entra, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, clientCapabilities: ['cp1'] };
const redirectUri = `${PUBLIC_URL}/signed-in`;
const cookie = { secure: PUBLIC_URL.startsWith('https:') };
const crypto = new CryptoProvider();

/** A page can need a sign-in and two proofs; more is a circle. */
const MAX_TRIPS = 3;

/** Thrown where only the user can go on, at Entra's page. */
class UserNeeded extends Error {
  readonly claims: string | undefined;

  constructor(claims: string | undefined) {
    super('The user has to visit the sign-in page.');
    this.claims = claims;
  }
}

const app = express();

app.get('/', (_req, res) => res.redirect('/me'));

app.get(['/me', '/me/messages', '/orders'], async (req, res) => {
  const session = findSession(req) ?? openSession();
  const { pathname, search } = new URL(req.originalUrl, PUBLIC_URL);
  const page = pathname + search;
  try {
    const getToken = (demand: TokenDemand): Promise<string> => getTokenAlone(session, demand);
    await showAnswer(res, session, await callAndRecover({ getToken }, GATEWAY_URL + page));
  } catch (error) {
    if (!(error instanceof UserNeeded)) {
      throw error;
    }
    if (session.trips < MAX_TRIPS) {
      return await sendToEntra(res, session, error.claims, page);
    }
    session.trips = 0;
    showPage(res.status(403), 'This does not work', 'Signing in again does not help. Ask your administrator.');
  }
});

app.get('/signed-in', async (req, res) => {
  const session = findSession(req);
  const { state, code, error } = req.query as Record<string, string | undefined>;
  const visit = session?.visits.get(state ?? '');
  if (!session || !visit) {
    return showPage(res.status(400), 'Please start again', 'This sign-in is over.');
  }
  session.visits.delete(state ?? '');
  if (code === undefined) {
    return showPage(res.status(403), 'You are not signed in', `Entra answered ${error}.`);
  }
  const { verifier: codeVerifier, returnTo } = visit;
  session.account = (await session.msal.acquireTokenByCode({ code, scopes, redirectUri, codeVerifier })).account;
  rememberSession(res, session, cookie);
  res.redirect(returnTo);
});

function openSession(): Session {
  const msal = new ConfidentialClientApplication({ auth });
  return { msal, account: null, visits: new Map(), trips: 0, wantsFreshToken: false };
}

/** From the cache of the session or with its refresh token. */
async function getTokenAlone({ msal, account, wantsFreshToken }: Session, demand: TokenDemand): Promise<string> {
  const { claims, forceRefresh = wantsFreshToken, interactive = false } = demand;
  if (!account || interactive) {
    throw new UserNeeded(claims);
  }
  const request = { account, scopes, forceRefresh, ...(claims !== undefined && { claims }) };
  try {
    return (await msal.acquireTokenSilent(request)).accessToken;
  } catch (error) {
    throw needsUser(error) ? new UserNeeded(claims) : error;
  }
}

/** To the sign-in page; the claims go along, and the user comes back to the page that they wanted. */
async function sendToEntra(
  res: express.Response,
  session: Session,
  claims: string | undefined,
  returnTo: string,
): Promise<void> {
  const { challenge: codeChallenge, verifier } = await crypto.generatePkceCodes();
  const state = crypto.createNewGuid();
  session.visits.set(state, { verifier, returnTo });
  session.trips += 1;
  rememberSession(res, session, cookie);
  const request = { scopes, redirectUri, state, codeChallenge, codeChallengeMethod: 'S256' };
  const loginHint = session.account?.username;
  const known = { ...(claims !== undefined && { claims }), ...(loginHint !== undefined && { loginHint }) };
  res.redirect(await session.msal.getAuthCodeUrl({ ...request, ...known }));
}

async function showAnswer(res: express.Response, session: Session, response: Response): Promise<void> {
  const step = await findNextStep(response);
  session.trips = 0;
  session.wantsFreshToken = step.do === 'consent';
  res.status(response.status);
  if (step.do === 'use') {
    showPage(res, 'The answer', await response.text());
  } else if (step.do === 'consent') {
    const link = { to: step.uri, label: 'Give the permission' };
    showPage(res, 'A permission is missing', 'Give it, come back, and load this page again.', link);
  } else if (step.do === 'wait') {
    res.set('Retry-After', String(step.seconds));
    showPage(res, 'Please wait', `There is much to do. Load this page again in ${step.seconds} seconds.`);
  } else {
    showPage(res, 'This does not work', step.do === 'stop' ? step.why : 'The sign-in did not help.');
  }
}

const tellFault: express.ErrorRequestHandler = (error, _req, res, _next) => {
  console.error(error);
  showPage(res.status(500), 'Something went wrong', 'Please try again later.');
};
app.use(tellFault);

app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`Open ${PUBLIC_URL}`);
});

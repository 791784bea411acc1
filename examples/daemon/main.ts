/**
 * A daemon: client credentials. It calls as itself, by an app role; there is nobody to sign in.
 *
 * At Entra: an app registration with a client secret (better: a certificate, or a managed identity), and the
 * application permission Orders.Read.All of the gateway with an administrator's consent.
 *
 *   npm start                                           in another terminal
 *   npx tsx examples/daemon/main.ts [/orders?status=open]
 *
 * Exit code 0: done. 1: somebody must fix it, and the same call will fail again. 75: busy, run it again later.
 */
import { ConfidentialClientApplication } from '@azure/msal-node';
import { entra } from '../entra.ts';
import { callAndRecover, type TokenDemand } from '../recover/call-and-recover.ts';
import { findNextStep, type NextStep } from '../recover/next-step.ts';
import { wait } from '../terminal.ts';

const {
  GATEWAY_URL = 'http://localhost:8080',
  CLIENT_ID = '7e0d1c2b-3a49-4f58-b6c7-d8e9f0a1b2c3',
  CLIENT_SECRET = 'demo-secret-of-the-daemon',
} = process.env;
const scopes = ['api://6e74172b-be56-4843-9ff4-e66a39bb12e3/.default'];
const path = process.argv[2] ?? '/orders';

const msal = new ConfidentialClientApplication({
  auth: { ...entra, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
});

/** From the cache, or past it when the API does not take the token any more. */
async function getToken({ forceRefresh = false }: TokenDemand): Promise<string> {
  const token = await msal.acquireTokenByClientCredential({ scopes, skipCache: forceRefresh });
  if (!token) {
    throw new Error('Entra gave no token.');
  }
  return token.accessToken;
}

/** What nobody but a person can do, a daemon can only report. */
function explain(step: Exclude<NextStep, { do: 'use' }>): string {
  switch (step.do) {
    case 'renew':
    case 'signIn':
      return 'The API takes no token of this daemon: check its registration, and the policies for workload identities.';
    case 'consent':
      return `An administrator must agree: ${step.uri}`;
    case 'wait':
      return `The API is busy; run this again in ${step.seconds} s.`;
    case 'stop':
      return step.why;
  }
}

const response = await callAndRecover({ getToken, wait }, GATEWAY_URL + path);
const step = await findNextStep(response);
if (step.do === 'use') {
  console.log(await response.text());
} else {
  console.error(`Refused with ${response.status}: ${explain(step)}`);
}
const failure = step.do === 'wait' ? 75 : 1;
process.exitCode = response.ok ? 0 : failure;

import { randomUUID } from 'node:crypto';
import type { AuthenticationResult } from '@azure/msal-node';
import { FIRST_ORDER_ID } from '../demo-apis/order-book.ts';
import type { DemoWorld } from '../world.ts';
import type { Persona } from './browser.ts';
import { readClaimsChallenge } from './claims-challenge.ts';
import { McpProgram } from './mcp-program.ts';
import type { Narrator } from './narrator.ts';
import { SignInClient } from './sign-in-client.ts';

/** Where the story plays and who tells it. */
export interface Stage {
  readonly world: DemoWorld;
  readonly narrator: Narrator;
}

const MEGAN: Persona = { user: 'megan', mfa: 'approved', consent: 'granted' };
const ADELE: Persona = { user: 'adele', consent: 'granted' };

/** Plays all chapters. */
export async function playStory(stage: Stage): Promise<void> {
  const client = new SignInClient(stage.world.emulator);
  const signedIn = await playSignIn(stage, client);
  const withMfa = await playMfaChallenge(stage, client, signedIn);
  await playStepUp(stage, client, withMfa);
  await playDeviceCode(stage, client);
  await playEngine(stage, { weaker: signedIn, stronger: withMfa });
  await playMcp(stage);
}

async function playSignIn({ narrator }: Stage, client: SignInClient): Promise<AuthenticationResult> {
  narrator.chapter('1. Megan signs in (authorization code with PKCE)');
  const token = await client.signIn(MEGAN);
  narrator.check('the client holds a token for the gateway', token.accessToken !== '');
  return token;
}

async function playMfaChallenge(
  stage: Stage,
  client: SignInClient,
  token: AuthenticationResult,
): Promise<AuthenticationResult> {
  const { narrator } = stage;
  narrator.chapter('2. She opens her profile; a policy on Graph wants MFA');
  const refused = await call(stage, token, { path: '/me' });
  narrator.check('GET /me is refused with 401 insufficient_claims', isClaimsChallenge(refused));
  narrator.chapter('3. The client takes the challenge to Entra');
  const stronger = await satisfy(stage, client, token, refused);
  narrator.chapter('4. The same call again');
  const answer = await call(stage, stronger, { path: '/me' });
  narrator.check('GET /me answers 200', answer.status === 200);
  narrator.check('it is Megan', answer.body.includes('Megan Bowen'));
  return stronger;
}

async function playStepUp(stage: Stage, client: SignInClient, token: AuthenticationResult): Promise<void> {
  const { narrator } = stage;
  const payout = { path: '/payouts', body: { orderId: FIRST_ORDER_ID, amount: 250 } };
  narrator.chapter('5. She approves a payout; the contract wants authentication context c1');
  const refused = await call(stage, token, payout);
  narrator.check('POST /payouts is refused with 401 insufficient_claims', isClaimsChallenge(refused));
  narrator.check('the claims ask for c1', refused.challenge.claims?.includes('"c1"') === true);
  narrator.chapter('6. She steps up and tries again');
  const steppedUp = await satisfy(stage, client, token, refused);
  const answer = await call(stage, steppedUp, payout);
  narrator.check('POST /payouts answers 202', answer.status === 202);
}

async function playDeviceCode(stage: Stage, client: SignInClient): Promise<void> {
  const { narrator } = stage;
  narrator.chapter('7. Adele signs in on a device without a browser (device code)');
  const token = await client.signInByDeviceCode(ADELE);
  const answer = await call(stage, token, { path: '/orders' });
  narrator.check('GET /orders answers 200', answer.status === 200);
}

/** Sends the same calls through the gateway and through an engine that asks it: one without MFA, and one with it. */
async function playEngine(
  stage: Stage,
  { weaker, stronger }: { readonly weaker: AuthenticationResult; readonly stronger: AuthenticationResult },
): Promise<void> {
  const { narrator } = stage;
  narrator.chapter('8. An engine carries the calls and asks the gateway; Megan without MFA, both ways');
  const refused = await callBothWays(stage, weaker);
  narrator.check('both answer 401 insufficient_claims', refused.every(isClaimsChallenge));
  const [ofGateway, ofEngine] = refused;
  narrator.check('with the same challenge', ofGateway.header !== null && ofGateway.header === ofEngine.header);
  narrator.check('and the same problem document', ofGateway.body === ofEngine.body);
  narrator.chapter('9. With MFA, both ways');
  const answers = await callBothWays(stage, stronger);
  narrator.check(
    'both answer 200',
    answers.every(({ status }) => status === 200),
  );
  narrator.check('with the same profile', answers[0].body === answers[1].body);
}

/** A program of the official SDK calls tools of the mailbox, which exchanges the token of the gateway's exchange again. */
async function playMcp({ world, narrator }: Stage): Promise<void> {
  narrator.chapter('10. A program that speaks MCP connects to the mailbox; Megan signs in by way of the gateway');
  const program = await McpProgram.connect(world, narrator, MEGAN);
  try {
    narrator.check('it finds the tools', (await program.listTools()).includes('list_messages'));
    narrator.chapter('11. It reads her messages; the mailbox asks Graph for her, where the policy wants MFA');
    narrator.check('they come after one more sign-in', (await program.callTool('list_messages')).includes('"subject"'));
    narrator.chapter('12. It copies her mailbox; the contract wants authentication context c1 for that tool');
    narrator.check('it has the copy', (await program.callTool('export_mailbox')).includes('"subject"'));
    narrator.check('she signed in three times in all', program.signIns === 3);
  } finally {
    await program.close();
  }
}

async function callBothWays(
  stage: Stage,
  token: AuthenticationResult,
): Promise<readonly [GatewayAnswer, GatewayAnswer]> {
  // One id, which stands in the problem document.
  const profile = { path: '/me', requestId: randomUUID() };
  return [await call(stage, token, profile), await call(stage, token, { ...profile, through: 'engine' })];
}

/** First silently, as every MSAL client does; then with the person. */
async function satisfy(
  { narrator }: Stage,
  client: SignInClient,
  { account }: AuthenticationResult,
  { challenge }: GatewayAnswer,
): Promise<AuthenticationResult> {
  const { claims = '' } = challenge;
  narrator.note(`claims ${claims}`);
  if (!account) {
    throw new Error('MSAL returned no account.');
  }
  const silent = await client.renew(account, claims);
  narrator.check('silently it cannot be done', 'interactionRequired' in silent);
  return 'token' in silent ? silent.token : client.signIn(MEGAN, claims);
}

interface GatewayCall {
  readonly path: string;
  /** `x-request-id`; default one that the gateway makes. */
  readonly requestId?: string;
  /** Default the gateway. */
  readonly through?: 'gateway' | 'engine';
  /** Sent as JSON with POST; without one it is a GET. */
  readonly body?: object;
}

interface GatewayAnswer {
  readonly status: number;
  readonly challenge: ReturnType<typeof readClaimsChallenge>;
  /** `WWW-Authenticate`, as it came. */
  readonly header: string | null;
  readonly body: string;
}

async function call(
  { world, narrator }: Stage,
  token: AuthenticationResult,
  { path, body, requestId, through = 'gateway' }: GatewayCall,
): Promise<GatewayAnswer> {
  const method = body === undefined ? 'GET' : 'POST';
  narrator.hop('client', through, `${method} ${path}`);
  const response = await fetch(`${through === 'engine' ? world.engine.origin : world.gatewayUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token.accessToken}`,
      ...(requestId !== undefined && { 'x-request-id': requestId }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const header = response.headers.get('www-authenticate');
  const challenge = readClaimsChallenge(header);
  narrator.hop(through, 'client', [response.status, challenge.error].filter(Boolean).join('  '));
  return { status: response.status, challenge, header, body: await response.text() };
}

function isClaimsChallenge({ status, challenge }: GatewayAnswer): boolean {
  return status === 401 && challenge.error === 'insufficient_claims' && challenge.claims !== undefined;
}

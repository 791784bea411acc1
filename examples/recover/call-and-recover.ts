import { findNextStep, type NextStep } from './next-step.ts';

/** What a token must be: fresh, made with claims, or made with the user at the screen. */
export interface TokenDemand {
  readonly claims?: string | undefined;
  readonly forceRefresh?: boolean;
  readonly interactive?: boolean;
}

/** What differs from client to client. */
export interface Client {
  readonly getToken: (demand: TokenDemand) => Promise<string>;
  /** Shows a consent page and ends when the user is back; without it the refusal is the result. */
  readonly showConsent?: (uri: string) => Promise<void>;
  /** Lets the seconds pass that the API asks for; without it the refusal is the result. */
  readonly wait?: (seconds: number) => Promise<void>;
}

/** One operation can want two proofs, one for the gateway itself and one for the API behind it, and consent besides. */
const MAX_ROUNDS = 3;

/** Calls the API; does what a refusal asks for, and calls again. The body must be one that can be sent twice. */
export async function callAndRecover(client: Client, url: string, init: RequestInit = {}): Promise<Response> {
  let token = await client.getToken({});
  let last: NextStep['do'] = 'use';
  for (let round = 0; ; round += 1) {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(url, { ...init, headers });
    const step = await findNextStep(response);
    const isDeclined = step.do === 'consent' && last === 'consent';
    const demand = round < MAX_ROUNDS && !isDeclined ? await follow(client, step) : undefined;
    if (!demand) {
      return response;
    }
    last = step.do;
    token = await client.getToken(demand);
  }
}

/** Does what the step says; the answer is the token to call again with, none when that is of no use. */
async function follow({ showConsent, wait }: Client, step: NextStep): Promise<TokenDemand | undefined> {
  if (step.do === 'renew') {
    return { claims: step.claims, forceRefresh: true };
  }
  if (step.do === 'signIn') {
    return { interactive: true };
  }
  if (step.do === 'consent' && showConsent) {
    await showConsent(step.uri);
    // The gateway remembers a refusal for up to a minute, but only for the token that met it.
    return { forceRefresh: true };
  }
  if (step.do === 'wait' && wait) {
    await wait(step.seconds);
    return {};
  }
  return undefined;
}

import { findNextStep } from './next-step.ts';

/** What a page asks MSAL for. */
export interface TokenRequest<Account> {
  readonly scopes: string[];
  readonly account: Account;
  readonly claims?: string;
  readonly forceRefresh?: boolean;
}

/** The part of the `PublicClientApplication` of `@azure/msal-browser` that is needed here. */
export interface TokenClient<Account> {
  acquireTokenSilent(request: TokenRequest<Account>): Promise<{ readonly accessToken: string }>;
  acquireTokenPopup(request: TokenRequest<Account>): Promise<{ readonly accessToken: string }>;
}

/** Who calls, with which permissions. */
export interface Session<Account> {
  readonly msal: TokenClient<Account>;
  readonly account: Account;
  readonly scopes: string[];
}

/** One operation can want two proofs: one for the gateway itself and one for the API behind it. */
const MOST_ROUNDS = 2;

/** Calls the API; when it wants another token, gets that and calls again. The body must be one that can be sent twice. */
export async function callApi<A>(session: Session<A>, url: string, init: RequestInit = {}): Promise<Response> {
  const { msal, account, scopes } = session;
  let token = await acquireToken(msal, { account, scopes });
  for (let round = 0; ; round += 1) {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(url, { ...init, headers });
    const step = await findNextStep(response);
    if (round === MOST_ROUNDS || (step.do !== 'renew' && step.do !== 'signIn')) return response;
    const claims = step.do === 'renew' && step.claims !== undefined ? { claims: step.claims } : {};
    const request = { account, scopes, ...claims, forceRefresh: true };
    token =
      step.do === 'signIn' ? (await msal.acquireTokenPopup(request)).accessToken : await acquireToken(msal, request);
  }
}

async function acquireToken<A>(msal: TokenClient<A>, request: TokenRequest<A>): Promise<string> {
  try {
    return (await msal.acquireTokenSilent(request)).accessToken;
  } catch (error) {
    const { name, errorCode } = error as { name?: string; errorCode?: string };
    if (name !== 'InteractionRequiredAuthError' && errorCode !== 'invalid_grant') throw error;
    return (await msal.acquireTokenPopup(request)).accessToken;
  }
}

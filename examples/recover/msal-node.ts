import { AuthError, InteractionRequiredAuthError } from '@azure/msal-node';
import type { AccountInfo, AuthenticationResult, PublicClientApplication } from '@azure/msal-node';
import { findNextStep } from './next-step.ts';

/** Who calls, with which permissions. */
export interface Session {
  readonly msal: PublicClientApplication;
  readonly account: AccountInfo;
  readonly scopes: string[];
  /** Shows a sign-in page to the user. */
  readonly openBrowser: (url: string) => Promise<void>;
}

/** What a token must be: fresh, made with claims, or made with the user at the screen. */
export interface TokenWish {
  readonly claims?: string | undefined;
  readonly forceRefresh?: boolean;
  readonly interactive?: boolean;
}

/** One operation can want two proofs: one for the gateway itself and one for the API behind it. */
const MOST_ROUNDS = 2;

/** Calls the API; when it wants another token, gets that and calls again. The body must be one that can be sent twice. */
export async function callApi(session: Session, url: string, init: RequestInit = {}): Promise<Response> {
  let token = await acquireToken(session);
  for (let round = 0; ; round += 1) {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token.accessToken}`);
    const response = await fetch(url, { ...init, headers });
    const step = await findNextStep(response);
    if (round === MOST_ROUNDS || (step.do !== 'renew' && step.do !== 'signIn')) return response;
    const wish = step.do === 'signIn' ? { interactive: true } : { claims: step.claims, forceRefresh: true };
    token = await acquireToken(session, wish);
  }
}

/** Gets a token for the API without the user where that is possible, otherwise with the user. */
export async function acquireToken(session: Session, wish: TokenWish = {}): Promise<AuthenticationResult> {
  const { msal, account, scopes, openBrowser } = session;
  const { claims, forceRefresh = false, interactive = false } = wish;
  const request = { scopes, ...(claims !== undefined && { claims }) };
  try {
    if (!interactive) return await msal.acquireTokenSilent({ ...request, account, forceRefresh });
  } catch (error) {
    if (!needsUser(error)) throw error;
  }
  return msal.acquireTokenInteractive({ ...request, loginHint: account.username, openBrowser });
}

/** MSAL knows most refusals that a user can mend as such; an ended session can come as a bare `invalid_grant`. */
function needsUser(error: unknown): boolean {
  const isEnded = error instanceof AuthError && error.errorCode === 'invalid_grant';
  return isEnded || error instanceof InteractionRequiredAuthError;
}

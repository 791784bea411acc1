import { AuthError, InteractionRequiredAuthError } from '@azure/msal-node';
import type { AccountInfo, AuthenticationResult, PublicClientApplication } from '@azure/msal-node';
import type { TokenDemand } from './call-and-recover.ts';

/** Who calls, with which permissions. */
export interface Session {
  readonly msal: PublicClientApplication;
  readonly account: AccountInfo;
  readonly scopes: string[];
  /** Shows a sign-in page to the user. */
  readonly openBrowser: (url: string) => Promise<void>;
}

/** Gets a token for the API without the user where that is possible, otherwise with the user. */
export async function acquireToken(session: Session, demand: TokenDemand = {}): Promise<AuthenticationResult> {
  const { msal, account, scopes, openBrowser } = session;
  const { claims, forceRefresh = false, interactive = false } = demand;
  const request = { scopes, ...(claims !== undefined && { claims }) };
  try {
    if (!interactive) {
      return await msal.acquireTokenSilent({ ...request, account, forceRefresh });
    }
  } catch (error) {
    if (!needsUser(error)) {
      throw error;
    }
  }
  return msal.acquireTokenInteractive({ ...request, loginHint: account.username, openBrowser });
}

/** MSAL knows most refusals that a user can resolve as such; an ended session can come as a bare `invalid_grant`. */
export function needsUser(error: unknown): boolean {
  const isEnded = error instanceof AuthError && error.errorCode === 'invalid_grant';
  return isEnded || error instanceof InteractionRequiredAuthError;
}

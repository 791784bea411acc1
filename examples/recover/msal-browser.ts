import type { TokenDemand } from './call-and-recover.ts';

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

/** Gets a token for the API without the user where that is possible, otherwise with the user. */
export async function acquireToken<A>({ msal, account, scopes }: Session<A>, demand: TokenDemand): Promise<string> {
  const { claims, forceRefresh = false, interactive = false } = demand;
  const request = { account, scopes, forceRefresh, ...(claims !== undefined && { claims }) };
  try {
    if (!interactive) {
      return (await msal.acquireTokenSilent(request)).accessToken;
    }
  } catch (error) {
    const { name, errorCode } = error as { name?: string; errorCode?: string };
    if (name !== 'InteractionRequiredAuthError' && errorCode !== 'invalid_grant') {
      throw error;
    }
  }
  return (await msal.acquireTokenPopup(request)).accessToken;
}

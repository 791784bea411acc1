import { readWait } from '../../entra/post-form.ts';
import type { EntraResponse } from '../../entra/http-client.ts';
import { GatewayError } from '../../failures.ts';
import { isClaimsRequest } from '../../syntax/claims-request.ts';
import { parseJsonObject, type JsonObject } from '../../syntax/json.ts';
import { OAuthRefusal } from './oauth-refusal.ts';

/** The members of a token answer that a client gets. */
const MEMBERS = [
  'token_type',
  'scope',
  'expires_in',
  'ext_expires_in',
  'access_token',
  'refresh_token',
  'id_token',
] as const;

/** A word of OAuth or of Entra, which says nothing but itself. */
const WORD = /^[a-z][a-z_]{0,63}$/;

/** What a client reads about an error, in our own words; default {@link OTHER_ERROR}. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  invalid_grant: 'The code or the refresh token is not valid, or no longer; sign in again.',
  interaction_required: 'The user has to sign in again.',
  login_required: 'The user has to sign in again.',
  consent_required: 'The user or an administrator has to consent.',
  invalid_scope: 'The scopes do not exist, or not together.',
  unauthorized_client: 'The client is not registered for this.',
  invalid_client: 'The client is not registered as a public client.',
};

const OTHER_ERROR = 'Entra refused the request; give the x-request-id to the operator of this API.';

/**
 * What operators have to mend where a client asked Entra through the façade, by the number of Entra's error. What the
 * numbers mean is said in `exchange/entra-codes.ts`.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
export const CLIENT_REMEDIES: Readonly<Record<number, string>> = {
  7000218:
    'Register the redirect address of this client for mobile and desktop applications, and allow public client flows.',
  700016: 'Register this client in the tenant of its users.',
  70011: 'Compare the scopes of the MCP server in the contract with those of its app registration.',
  650053: 'Add the scopes of the MCP server to its app registration.',
  9002326: 'A page calls: register its redirect address for single-page applications.',
  9002327: 'No page calls: register the redirect address for mobile and desktop applications.',
  9010010: 'Compare the scopes of the MCP server in the contract with its Application ID URIs.',
};

/**
 * Reads Entra's answer to a token request.
 *
 * @param now milliseconds since the epoch
 * @returns the members for the client
 * @throws {OAuthRefusal} with Entra's `error`, `suberror` and `claims`, and none of its text
 * @throws {GatewayError} `identity_unavailable` where Entra asks to wait, or answers neither a token nor an error
 */
export function readTokenAnswer(response: EntraResponse, now: number): object {
  const members = parseJsonObject(response.text) ?? {};
  if (response.status === 429) {
    throw new GatewayError('identity_unavailable', { ...readWait(response, now), log: { entra: { status: 429 } } });
  }
  if (response.status >= 400) {
    throw readRefusal(response, members);
  }
  if (typeof members['access_token'] !== 'string') {
    throw new GatewayError('identity_unavailable', { log: { entra: { error: 'no access_token' } } });
  }
  return pick(members);
}

function pick(members: JsonObject): object {
  return Object.fromEntries(
    MEMBERS.map((name) => [name, members[name]] as const).filter(
      ([, value]) => typeof value === 'string' || typeof value === 'number',
    ),
  );
}

function readRefusal({ status }: EntraResponse, members: JsonObject): GatewayError {
  const { error, suberror, claims, error_codes: codes } = members;
  if (typeof error !== 'string' || !WORD.test(error)) {
    return new GatewayError('identity_unavailable', { log: { entra: { status } } });
  }
  const numbers = (Array.isArray(codes) ? (codes as unknown[]) : []).filter(isNumber).slice(0, 5);
  const word = typeof suberror === 'string' && WORD.test(suberror) ? suberror : undefined;
  const remedy = numbers.map((code) => CLIENT_REMEDIES[code]).find((text) => text !== undefined);
  return new OAuthRefusal(error, DESCRIPTIONS[error] ?? OTHER_ERROR, {
    ...(word !== undefined && { suberror: word }),
    ...(typeof claims === 'string' && isClaimsRequest(claims) && { claims }),
    log: {
      entra: { error, codes: numbers.map((code) => `AADSTS${code}`), suberror: word },
      ...(remedy !== undefined && { remedy }),
    },
  });
}

function isNumber(code: unknown): code is number {
  return Number.isSafeInteger(code);
}

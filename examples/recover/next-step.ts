/** What a client does next with an answer of the gateway. */
export type NextStep =
  /** Nothing: the answer is the API's own. */
  | { readonly do: 'use' }
  /** Ask for a new token with these claims: without the user first, with the user when Entra wants that. */
  | { readonly do: 'renew'; readonly claims: string | undefined }
  /** Let the user sign in. */
  | { readonly do: 'signIn' }
  /** Let the user or an administrator open this page; afterwards call again. */
  | { readonly do: 'consent'; readonly uri: string }
  /** Send the same request again, after this time. */
  | { readonly do: 'wait'; readonly seconds: number }
  /** Tell the user; the same request will fail again. */
  | { readonly do: 'stop'; readonly why: string };

const OURS = 'urn:obo-gateway:problem:';

/** Decides by the challenge and the `code` of the problem document; the body of the response can still be read. */
export async function findNextStep(response: Response): Promise<NextStep> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
    return { do: 'use' };
  }
  // The API behind the gateway may send anything under this media type.
  const json: Promise<unknown> = response.clone().json();
  const problem = ((await json.catch(() => null)) ?? {}) as Record<string, string>;
  if (!String(problem['type']).startsWith(OURS)) {
    return { do: 'use' };
  }
  const claims = readClaims(response.headers.get('www-authenticate'));
  const wait = response.headers.get('retry-after');
  const { code, consentUri, detail = '' } = problem;
  if (claims !== undefined) {
    return { do: 'renew', claims };
  }
  if (code === 'missing_token' || code === 'invalid_token') {
    return { do: 'renew', claims };
  }
  if (code === 'interaction_required') {
    return { do: 'signIn' };
  }
  if (consentUri !== undefined) {
    return { do: 'consent', uri: consentUri };
  }
  if (wait !== null) {
    return { do: 'wait', seconds: Number(wait) };
  }
  return { do: 'stop', why: detail };
}

/** Reads the claims request of a challenge, as the JSON text that MSAL takes. */
export function readClaims(challenge: string | null): string | undefined {
  const encoded = /\bclaims="([^"]+)"/.exec(challenge ?? '')?.[1];
  if (encoded === undefined) {
    return undefined;
  }
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

import { readClaims } from '../recover/next-step.ts';

interface ClaimsRequest {
  readonly access_token: object;
}

/** Makes a `fetch` for a transport of the SDK, which does not read claims: it hands them on before the SDK acts. */
export function watchClaims(onClaims: (claims: string) => void): typeof fetch {
  return async (...request) => {
    const response = await fetch(...request);
    const claims = readClaims(response.headers.get('www-authenticate'));
    if (claims !== undefined) {
      onClaims(claims);
    }
    return response;
  };
}

/** Adds to a sign-in the claims of a challenge, if any, and that this program can handle challenges (`cp1`). */
export function addClaims(signIn: URL, claims = '{"access_token":{}}'): URL {
  const { access_token } = JSON.parse(claims) as ClaimsRequest;
  const wanted: ClaimsRequest = { access_token: { ...access_token, xms_cc: { values: ['cp1'] } } };
  const url = new URL(signIn);
  url.searchParams.set('claims', JSON.stringify(wanted));
  return url;
}

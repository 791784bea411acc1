/** What a client reads from a `WWW-Authenticate` header. */
export interface ClaimsChallenge {
  readonly error: string | undefined;
  /** Claims request as JSON text. */
  readonly claims: string | undefined;
}

/** Reads the parameters that matter; commas inside quotes are part of a value. */
export function readClaimsChallenge(header: string | null): ClaimsChallenge {
  const parameters = new Map(
    [...(header ?? '').matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  const claims = parameters.get('claims');
  return {
    error: parameters.get('error'),
    claims: claims === undefined ? undefined : Buffer.from(claims, 'base64').toString(),
  };
}

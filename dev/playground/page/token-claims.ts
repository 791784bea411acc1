/** One claim of a token, for a person. */
export interface ClaimLine {
  readonly name: string;
  readonly value: string;
  /** What it says, in a few words; empty for a claim that is not known here. */
  readonly meaning: string;
}

const MEANINGS: Readonly<Record<string, string>> = {
  aud: 'for whom it is: this gateway, nobody else',
  scp: 'what the client may do in your name',
  roles: 'what the app may do as itself',
  acrs: 'authentication contexts that were proved',
  xms_cc: 'the client takes claims challenges',
  name: 'your name',
  preferred_username: 'how you sign in',
  oid: 'you, in this tenant',
  sub: 'you, for this API',
  tid: 'the tenant',
  azp: 'the client: this page',
  azpacr: 'how the client proved itself; 0: not at all, a page cannot',
  iss: 'who issued it',
  iat: 'issued',
  nbf: 'valid from',
  exp: 'valid until',
  ver: 'the form of the token',
  idtyp: 'for a person or for an app',
};

const TIMES = new Set(['iat', 'nbf', 'exp']);
const ORDER = Object.keys(MEANINGS);

/** What an access token says, the most telling first. A client must not do this: tokens are for the API they name. */
export function describeToken(accessToken: string): ClaimLine[] {
  return Object.entries(readPayload(accessToken))
    .toSorted(([a], [b]) => rank(a) - rank(b))
    .map(([name, value]) => ({ name, value: describeValue(name, value), meaning: MEANINGS[name] ?? '' }));
}

/** The moment at which a token expires. */
export function readExpiry(accessToken: string): Date {
  return new Date(Number(readPayload(accessToken)['exp']) * 1000);
}

function readPayload(jwt: string): Record<string, unknown> {
  const encoded = (jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

function rank(name: string): number {
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}

function describeValue(name: string, value: unknown): string {
  if (TIMES.has(name)) {
    return new Date(Number(value) * 1000).toLocaleString();
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

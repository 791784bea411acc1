import { parseChallenges } from '../challenge/parse-challenges.ts';
import type { Answer } from './answer.ts';
import { CLAIMS_SCOPE, readClaimsScope } from '../syntax/claims-scope.ts';
import { parseJsonObject } from '../syntax/json.ts';

const VALUE = '[^"\\\\,=%]*';

/** The one shape that every known client library reads: `realm` first, `claims` last, nothing to stumble over between. */
const SHAPE = new RegExp(
  [
    '^Bearer realm=""',
    `authorization_uri="${VALUE}/oauth2/v2\\.0/authorize"`,
    `client_id="(?!")${VALUE}"(?:, error="(?<error>${VALUE})")?(?:, scope="(?<scope>${VALUE})")?` +
      `(?<authContext>, cc_type="authcontext")?(?:, resource_metadata="${VALUE}")?` +
      '(?:, claims="(?<claims>[A-Za-z0-9+/]+={0,2})")?$',
  ].join(', '),
);

/** What a well-formed challenge says. */
export interface ReadChallenge {
  readonly error: string | undefined;
  /** Without the one that stands for claims. */
  readonly scopes: readonly string[];
  /** The claims request as JSON text, also where a scope stands for it. */
  readonly claims: string | undefined;
  readonly asksForContext: boolean;
}

/** A challenge, or the sentence that says why clients could not read it. */
export type ChallengeReading = { readonly challenge: ReadChallenge } | { readonly fault: string };

/** Reads the challenge of an answer that must carry exactly one. */
export function readChallenge({ headers }: Answer): ChallengeReading {
  const lines = headers.get('www-authenticate') ?? [];
  const count = lines.flatMap((line) => parseChallenges(line)).length;
  const [line = ''] = lines;
  if (lines.length !== 1 || count !== 1) {
    return {
      fault: `expected exactly one challenge in one WWW-Authenticate header, got ${describe(lines.length, count)}`,
    };
  }
  const groups = SHAPE.exec(line)?.groups;
  if (groups === undefined) {
    return {
      fault:
        'expected a challenge of the form Bearer realm="", authorization_uri="…/oauth2/v2.0/authorize", client_id="…", ' +
        `then error, scope, cc_type, resource_metadata, claims in this order; got ${line}`,
    };
  }
  const { error, scope = '', authContext, claims } = groups;
  const scopes = scope.split(' ').filter((name) => name !== '');
  const claimsScope = scopes.find((name) => name.startsWith(CLAIMS_SCOPE));
  const text = claims === undefined ? undefined : Buffer.from(claims, 'base64').toString('utf8');
  if (claims !== undefined && (claims.length % 4 !== 0 || parseJsonObject(text ?? '') === undefined)) {
    return { fault: 'expected claims to be a JSON object in padded base64' };
  }
  return {
    challenge: {
      error,
      scopes: scopes.filter((name) => name !== claimsScope),
      claims: text ?? (claimsScope && readClaimsScope(claimsScope)),
      asksForContext: authContext !== undefined,
    },
  };
}

function describe(lines: number, challenges: number): string {
  return lines === 0 ? 'none' : `${challenges} in ${lines}`;
}

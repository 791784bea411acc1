import type { IncomingMessage, ServerResponse } from 'node:http';
import passport from 'passport';
import { Strategy as JwtStrategy, type StrategyOptionsWithoutRequest } from 'passport-jwt';
import type { TokenVersion } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import { toPrincipal, type Principal, type TokenClaims } from '../session/principal.ts';
import type { SigningKey } from '../session/signing-key.ts';
import { readBearerToken } from './bearer-token.ts';
import type { SigningKeys } from './signing-keys.ts';
import { GUID } from '../syntax/http-syntax.ts';
import { parseJsonObject, type JsonObject } from '../syntax/json.ts';

/** What a token must meet besides its signature. */
export interface TokenRules {
  readonly audiences: readonly string[];
  /** A tenant id in lower case; `organizations` means any, and the list of allowed ones is the authorize step's. */
  readonly tenant: string;
  /** Milliseconds. */
  readonly clockTolerance: number;
  /** What happens to tokens that are bound to a key (`cnf`) and sent as plain bearer tokens. */
  readonly boundTokens: 'accept' | 'refuse';
}

/** A token that passed every check. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly signingKey: SigningKey;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** The last second of the year 9999 (RFC 3339 §5.6), in seconds since the epoch. */
const LAST_SECOND = 253_402_300_799;

/** Of what a token says of itself, the log takes no more; characters. */
const MAX_LOGGED = 200;

/**
 * Makes the function that verifies the access token of a request with passport-jwt: signature (RS256 only) and times
 * there, the audience and Entra's own rules in {@link checkClaims}, where a refusal can tell the operator what came.
 *
 * Each verification gets a strategy of its own, because the strategy shares nothing between the look-up of the key and
 * the check of the claims, and the issuer depends on both. This happens once for each token, not for each request.
 */
export function createTokenVerifier(
  keys: SigningKeys,
  rules: TokenRules,
  now: () => number,
): (req: IncomingMessage, res: ServerResponse) => Promise<VerifiedToken> {
  const authenticator = new passport.Passport();
  return (req, res) =>
    new Promise((resolve, reject) => {
      let signingKey: SigningKey | undefined;
      const options: StrategyOptionsWithoutRequest = {
        jwtFromRequest: readBearerToken,
        // It only counts at the top level: passport-jwt overwrites what stands inside jsonWebTokenOptions.
        algorithms: ['RS256'],
        jsonWebTokenOptions: {
          clockTimestamp: Math.floor(now() / 1_000),
          clockTolerance: Math.floor(rules.clockTolerance / 1_000),
        },
        secretOrKeyProvider: (_req, token: string, done) => {
          findSigningKey(keys, token).then(
            (key) => {
              signingKey = key;
              // jsonwebtoken would parse a PEM anew for each token, which takes longer than the rest of the verification;
              // the types of passport-jwt do not know that it takes a key, too.
              done(null, key.publicKey as unknown as string);
            },
            (error: unknown) => done(error),
          );
        },
      };
      const strategy = new JwtStrategy(options, (claims: TokenClaims, done) => {
        // An exception must not leave the callback: passport-jwt would only catch it while nothing is awaited.
        try {
          done(null, checkClaims(claims, signingKey, keys, rules));
        } catch (error) {
          done(tellClaims(error, claims));
        }
      });
      const settle = (error: unknown, verified: VerifiedToken | false | null | undefined, info: unknown): void => {
        if (verified) {
          resolve(verified);
        } else {
          reject(toRefusal(error ?? info, req));
        }
      };
      // passport reports every failure, also that Entra's keys cannot be had, to the callback's third parameter.
      const authenticate: unknown = authenticator.authenticate(strategy, { session: false }, settle);
      (authenticate as (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void)(
        req,
        res,
        reject,
      );
    });
}

/** Names of errors that jsonwebtoken throws only once the signature is found good. */
const AFTER_THE_SIGNATURE: ReadonlySet<string> = new Set(['TokenExpiredError', 'NotBeforeError']);

function toRefusal(error: unknown, req: IncomingMessage): unknown {
  if (error instanceof GatewayError) {
    return error;
  }
  if (!(error instanceof Error)) {
    return refuse('the token cannot be read');
  }
  const refusal = refuse(error.message);
  return AFTER_THE_SIGNATURE.has(error.name)
    ? tellClaims(refusal, parsePart(readBearerToken(req).split('.')[1]))
    : refusal;
}

/** Looks at the unverified token only to find out which key to verify it with. */
async function findSigningKey(keys: SigningKeys, token: string): Promise<SigningKey> {
  const [header, payload, signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || !isCanonical(signature)) {
    throw refuse('the token is no signed JWT of three parts');
  }
  const { alg, kid, crit } = parsePart(header);
  if (alg !== 'RS256' || typeof kid !== 'string' || crit !== undefined) {
    throw refuse('the header of the token asks for something else than RS256 with a kid');
  }
  return keys.find(versionOf(parsePart(payload)), kid);
}

/** The last bits of base64url can vary without meaning; each spelling would be a session of its own. */
function isCanonical(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function parsePart(part = ''): JsonObject {
  const value = parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'));
  if (value === undefined) {
    // jsonwebtoken would crash on a payload of `null`.
    throw refuse('a part of the token is no JSON object');
  }
  return value;
}

/** Entra writes `ver` into every token; one that lacks it is taken by the rules of v2. */
function versionOf(claims: TokenClaims): TokenVersion {
  return claims['ver'] === '1.0' ? 'v1' : 'v2';
}

/** The checks that jsonwebtoken does not do: it accepts tokens without times and knows no tenant. */
function checkClaims(
  claims: TokenClaims,
  signingKey: SigningKey | undefined,
  keys: SigningKeys,
  rules: TokenRules,
): VerifiedToken {
  const { exp, nbf, iat, aud, iss, tid, ver, cnf } = claims;
  if (signingKey === undefined || !isTime(exp) || !isTime(nbf) || (iat !== undefined && !isTime(iat))) {
    throw refuse('the token lacks exp or nbf, or a time of it is none');
  }
  if (typeof aud !== 'string' || !rules.audiences.includes(aud)) {
    throw refuse('the token is for another audience: see identity.audiences');
  }
  if (typeof tid !== 'string' || !GUID.test(tid) || (ver !== undefined && ver !== '1.0' && ver !== '2.0')) {
    throw refuse('the token lacks a tenant id or a known version');
  }
  const tenant = tid.toLowerCase();
  if (rules.tenant !== 'organizations' && rules.tenant !== tenant) {
    throw refuse('the token is of another tenant than identity.tenant');
  }
  const issuer = keys.issuerOf(versionOf(claims), tenant);
  if (issuer === '' || iss !== issuer) {
    throw refuse('the token is of another issuer');
  }
  if (!keys.mayKeySignFor(signingKey, tenant)) {
    throw refuse('the key that signed the token belongs to another issuer');
  }
  if (cnf !== undefined && rules.boundTokens === 'refuse') {
    throw refuse('the token is bound to a key (cnf), and identity.boundTokens is refuse');
  }
  return { principal: toPrincipal(claims), signingKey, expiresAt: exp };
}

/** A date of RFC 7519 §2 that a calendar can name: JSON also has numbers that are infinite (1e400) or of no year. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LAST_SECOND;
}

function refuse(reason: string): GatewayError {
  return new GatewayError('invalid_token', { log: { reason } });
}

/** Tells the log what a refused token says; only ever of one whose signature is good. */
function tellClaims(error: unknown, claims: TokenClaims): unknown {
  if (!(error instanceof GatewayError) || error.failure !== 'invalid_token') {
    return error;
  }
  return new GatewayError('invalid_token', { ...error.facts, log: { ...error.facts.log, ...describeClaims(claims) } });
}

/** The claims by which an operator recognises a token: for whom it is, from where and whose. */
function describeClaims({ aud, iss, tid, oid, azp, appid, ver }: TokenClaims): Record<string, string> {
  const told = Object.entries({ aud, iss, tid, oid, azp: azp ?? appid, ver });
  return Object.fromEntries(told.flatMap(([name, value]) => (value === undefined ? [] : [[name, toOneLine(value)]])));
}

/** Signed is not the same as harmless: short and printable. */
function toOneLine(value: unknown): string {
  const texts = (Array.isArray(value) ? value : [value]).map((part) => (typeof part === 'string' ? part : typeof part));
  return texts
    .join(' ')
    .slice(0, MAX_LOGGED)
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StrategyOptionsWithoutRequest } from 'passport-jwt';
import type { TokenVersion } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import { toPrincipal, type Principal, type TokenClaims } from '../session/principal.ts';
import type { SigningKey } from '../session/signing-key.ts';
import { readBearerToken } from './bearer-token.ts';
import { loadPassport } from './passport.ts';
import type { SigningKeys } from './signing-keys.ts';
import { GUID } from '../syntax/http-syntax.ts';
import { parseJsonObject, type JsonObject } from '../syntax/json.ts';

/** What a token must fulfil besides having a good signature. */
export interface TokenRules {
  readonly audiences: readonly string[];
  /** A tenant id in lower case, or `organizations` for any tenant; the authorize step has the list of allowed ones. */
  readonly tenant: string;
  /** How far the clocks of Entra and of the gateway may differ; milliseconds. */
  readonly clockTolerance: number;
  /** What happens to a token that is bound to a key (`cnf`) and is sent as a plain bearer token. */
  readonly boundTokens: 'accept' | 'refuse';
}

/** A token that passed every check. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly signingKey: SigningKey;
  /** `exp`; seconds since the epoch. */
  readonly expSeconds: number;
}

/**
 * The last second of the year 9999, in seconds since the epoch: RFC 3339 has no later date.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
const MAX_TIME_SECONDS = 253_402_300_799;

/** The longest text of a claim in the log. */
const MAX_LOGGED_CHARACTERS = 200;

/**
 * Makes the function that verifies the access token of a request. passport-jwt checks the signature (RS256 only) and
 * the times. {@link checkClaims} checks the audience and Entra's own rules, so that a refusal can tell the operator
 * what the token says.
 *
 * Each verification makes a strategy of its own, because a strategy passes nothing from the look-up of the key to the
 * check of the claims, and the issuer depends on both. This happens once for each token, not for each request.
 *
 * @throws {GatewayError} (the function, by rejecting) what {@link readBearerToken} throws, `invalid_token`, or
 *   `identity_unavailable` while Entra's keys cannot be fetched
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 * @see https://learn.microsoft.com/entra/identity-platform/access-tokens
 */
export function createTokenVerifier(
  keys: SigningKeys,
  rules: TokenRules,
  now: Clock,
): (req: IncomingMessage, res: ServerResponse) => Promise<VerifiedToken> {
  return (req, res) =>
    new Promise((resolve, reject) => {
      const { authenticator, JwtStrategy } = loadPassport();
      let signingKey: SigningKey | undefined;
      const options: StrategyOptionsWithoutRequest = {
        jwtFromRequest: readBearerToken,
        // This belongs at the top level: passport-jwt overwrites `algorithms` inside jsonWebTokenOptions.
        algorithms: ['RS256'],
        jsonWebTokenOptions: {
          clockTimestamp: Math.floor(now() / 1_000),
          clockTolerance: Math.floor(rules.clockTolerance / 1_000),
        },
        secretOrKeyProvider: (_req, token: string, done) => {
          findSigningKey(keys, token).then(
            (key) => {
              signingKey = key;
              // jsonwebtoken would parse a PEM for each token, which takes longer than the rest of the verification. It
              // takes a key object, too, but the types of passport-jwt do not say so.
              done(null, key.publicKey as unknown as string);
            },
            (error: unknown) => done(error),
          );
        },
      };
      const strategy = new JwtStrategy(options, (claims: TokenClaims, done) => {
        // No exception may leave this callback: passport-jwt catches one only when the key is found without waiting.
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
      // passport reports every failure in the callback's third parameter, also one of the look-up of the key.
      const authenticate: unknown = authenticator.authenticate(strategy, { session: false }, settle);
      // passport adds methods to what it is given, and the request may be that of an application with a passport of its own.
      const { headers, url } = req;
      (authenticate as (req: object, res: ServerResponse, next: (error?: unknown) => void) => void)(
        { headers, url },
        res,
        reject,
      );
    });
}

/** The errors that jsonwebtoken throws only after it has found the signature good. */
const AFTER_THE_SIGNATURE: ReadonlySet<string> = new Set(['TokenExpiredError', 'NotBeforeError']);

function toRefusal(error: unknown, req: IncomingMessage): unknown {
  if (error instanceof GatewayError) {
    return error;
  }
  if (!(error instanceof Error)) {
    return invalidToken('the token cannot be read');
  }
  const refusal = invalidToken(error.message);
  return AFTER_THE_SIGNATURE.has(error.name)
    ? tellClaims(refusal, parsePart(readBearerToken(req).split('.')[1]))
    : refusal;
}

/** Reads the unverified token only to find the key that verifies it. */
async function findSigningKey(keys: SigningKeys, token: string): Promise<SigningKey> {
  const [header, payload, signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || !isCanonical(signature)) {
    throw invalidToken('the token is no signed JWT of three parts');
  }
  const { alg, kid, crit } = parsePart(header);
  if (alg !== 'RS256' || typeof kid !== 'string' || crit !== undefined) {
    throw invalidToken('the header of the token asks for something else than RS256 with a kid');
  }
  return keys.find(versionOf(parsePart(payload)), kid);
}

/** The last bits of base64url can differ and mean the same, and each spelling would have a session of its own. */
function isCanonical(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function parsePart(part = ''): JsonObject {
  const value = parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'));
  if (value === undefined) {
    // jsonwebtoken would crash on a payload of `null`.
    throw invalidToken('a part of the token is no JSON object');
  }
  return value;
}

/** Entra writes `ver` into every token; the rules of v2 apply to a token without it. */
function versionOf(claims: TokenClaims): TokenVersion {
  return claims['ver'] === '1.0' ? 'v1' : 'v2';
}

/** Makes the checks that jsonwebtoken leaves out: it accepts tokens without times and knows no tenants. */
function checkClaims(
  claims: TokenClaims,
  signingKey: SigningKey | undefined,
  keys: SigningKeys,
  rules: TokenRules,
): VerifiedToken {
  const { exp, nbf, iat, aud, iss, tid, ver, cnf } = claims;
  if (signingKey === undefined || !isTime(exp) || !isTime(nbf) || (iat !== undefined && !isTime(iat))) {
    throw invalidToken('the token lacks exp or nbf, or one of its times is not a time');
  }
  if (typeof aud !== 'string' || !rules.audiences.includes(aud)) {
    throw invalidToken('the token is for another audience: see identity.audiences');
  }
  if (typeof tid !== 'string' || !GUID.test(tid) || (ver !== undefined && ver !== '1.0' && ver !== '2.0')) {
    throw invalidToken('the token lacks a tenant id or a known version');
  }
  const tenant = tid.toLowerCase();
  if (rules.tenant !== 'organizations' && rules.tenant !== tenant) {
    throw invalidToken('the token is of another tenant than identity.tenant');
  }
  const issuer = keys.issuerOf(versionOf(claims), tenant);
  if (issuer === '' || iss !== issuer) {
    throw invalidToken('the token is of another issuer');
  }
  if (!keys.mayKeySignFor(signingKey, tenant)) {
    throw invalidToken('the key that signed the token belongs to another issuer');
  }
  if (cnf !== undefined && rules.boundTokens === 'refuse') {
    throw invalidToken('the token is bound to a key (cnf), and identity.boundTokens is refuse');
  }
  return { principal: toPrincipal(claims), signingKey, expSeconds: exp };
}

/**
 * True for a NumericDate that a calendar can name. JSON also has numbers that become infinite (1e400) or that are
 * beyond every year.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-2
 */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIME_SECONDS;
}

function invalidToken(reason: string): GatewayError {
  return new GatewayError('invalid_token', { log: { reason } });
}

/** Adds to a refusal what the token says, for the log; to be called only for a token whose signature is good. */
function tellClaims(error: unknown, claims: TokenClaims): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'invalid_token') {
    return error;
  }
  return new GatewayError('invalid_token', { ...error.facts, log: { ...error.facts.log, ...describeClaims(claims) } });
}

/** The claims by which an operator recognises a token: its audience, its issuer, its user and its client. */
function describeClaims({ aud, iss, tid, oid, azp, appid, ver }: TokenClaims): Record<string, string> {
  const told = Object.entries({ aud, iss, tid, oid, azp: azp ?? appid, ver });
  return Object.fromEntries(told.flatMap(([name, value]) => (value === undefined ? [] : [[name, toOneLine(value)]])));
}

/** Makes a claim short and printable: a good signature does not make its text harmless. */
function toOneLine(value: unknown): string {
  const texts = (Array.isArray(value) ? value : [value]).map((part) => (typeof part === 'string' ? part : typeof part));
  return texts
    .join(' ')
    .slice(0, MAX_LOGGED_CHARACTERS)
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

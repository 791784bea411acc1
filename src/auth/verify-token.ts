import type { IncomingMessage, ServerResponse } from 'node:http';
import passport from 'passport';
import { Strategy as JwtStrategy, type StrategyOptionsWithoutRequest } from 'passport-jwt';
import type { TokenVersion } from '../entra/authority.ts';
import { GatewayError } from '../failures.ts';
import { toPrincipal, type Principal, type TokenClaims } from '../principal.ts';
import type { SigningKey } from '../session.ts';
import { readBearerToken } from './bearer-token.ts';
import type { SigningKeys } from './signing-keys.ts';

/** What a token must meet besides its signature. */
export interface TokenRules {
  readonly audiences: readonly string[];
  /** A tenant id in lower case; `organizations` means any, and the list of allowed ones is the authorize step's. */
  readonly tenant: string;
  /** Milliseconds. */
  readonly clockTolerance: number;
}

/** A token that passed every check. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly signingKey: SigningKey;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * Makes the function that verifies the access token of a request with passport-jwt: signature (RS256 only), audience
 * and times there, Entra's own rules in {@link checkClaims}.
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
        // These two only count at the top level: passport-jwt overwrites those inside jsonWebTokenOptions.
        algorithms: ['RS256'],
        audience: [...rules.audiences],
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
          done(error);
        }
      });
      const settle = (error: unknown, verified: VerifiedToken | false | null | undefined, info: unknown): void => {
        if (verified) {
          resolve(verified);
        } else {
          reject(toRefusal(error ?? info));
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

function toRefusal(reason: unknown): GatewayError {
  if (reason instanceof GatewayError) {
    return reason;
  }
  const message = reason instanceof Error ? reason.message : 'the token cannot be read';
  return new GatewayError('invalid_token', { log: { reason: message } });
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

function parsePart(part = ''): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Falls through: what is no JSON is no JSON object either.
  }
  // jsonwebtoken would crash on a payload of `null`.
  throw refuse('a part of the token is no JSON object');
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
  const { exp, nbf, aud, iss, tid, ver } = claims;
  if (signingKey === undefined || typeof exp !== 'number' || typeof nbf !== 'number' || typeof aud !== 'string') {
    throw refuse('the token lacks exp, nbf or a single aud');
  }
  if (typeof tid !== 'string' || !GUID.test(tid) || (ver !== undefined && ver !== '1.0' && ver !== '2.0')) {
    throw refuse('the token lacks a tenant id or a known version');
  }
  const tenant = tid.toLowerCase();
  if (rules.tenant !== 'organizations' && rules.tenant !== tenant) {
    throw refuse('the token is of another tenant');
  }
  const issuer = keys.issuerOf(versionOf(claims), tenant);
  if (issuer === '' || iss !== issuer) {
    throw refuse('the token is of another issuer');
  }
  if (!keys.mayKeySignFor(signingKey, tenant)) {
    throw refuse('the key that signed the token belongs to another issuer');
  }
  return { principal: toPrincipal(claims), signingKey, expiresAt: exp };
}

function refuse(reason: string): GatewayError {
  return new GatewayError('invalid_token', { log: { reason } });
}

import { createRequire } from 'node:module';
import type passport from 'passport';
import type passportJwt from 'passport-jwt';

const load = createRequire(import.meta.url);

/** What verifies tokens. */
interface Passport {
  /** An instance of our own, without strategies that an application registers. */
  readonly authenticator: passport.Authenticator;
  readonly JwtStrategy: typeof passportJwt.Strategy;
}

let loaded: Passport | undefined;

/**
 * Gives passport and its strategy for JWTs. They are loaded when somebody first asks for them, because a gateway can
 * listen without them: with jsonwebtoken they take 37 ms.
 */
export function loadPassport(): Passport {
  loaded ??= open();
  return loaded;
}

function open(): Passport {
  const { Passport: Authenticator } = load('passport') as typeof passport;
  const { Strategy } = load('passport-jwt') as typeof passportJwt;
  return { authenticator: new Authenticator(), JwtStrategy: Strategy };
}

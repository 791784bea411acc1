import type { IncomingMessage, ServerResponse } from 'node:http';
import { Session, type SessionStore } from '../session.ts';
import { peekBearerToken, readBearerToken } from './bearer-token.ts';
import type { SigningKeys } from './signing-keys.ts';
import { createTokenVerifier, type TokenRules } from './verify-token.ts';

/** What {@link createAuthenticate} works with. */
export interface AuthenticateOptions {
  readonly sessions: SessionStore;
  readonly keys: SigningKeys;
  readonly rules: TokenRules;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The step that finds out who is calling. */
export type Authenticate = (req: IncomingMessage, res: ServerResponse) => Session | Promise<Session>;

/**
 * Makes the step that finds out who is calling. A token is verified when it is first seen; from then on its session
 * stands for it.
 *
 * @throws {GatewayError} (the step) `missing_token`, `malformed_authorization`, `invalid_token`, or
 *   `identity_unavailable` while Entra's keys cannot be had
 */
export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const { sessions, keys, rules, now } = options;
  const verify = createTokenVerifier(keys, rules, now);
  return (req, res) => {
    return sessions.find(peekBearerToken(req)) ?? begin(readBearerToken(req), req, res);
  };

  async function begin(assertion: string, req: IncomingMessage, res: ServerResponse): Promise<Session> {
    const before = sessions.find(assertion);
    if (before !== undefined) {
      return before;
    }
    const { principal, signingKey, expiresAt } = await verify(req, res);
    const known = sessions.find(assertion);
    if (known !== undefined) {
      return known;
    }
    const session = new Session({
      principal,
      signingKey,
      assertionExpiresAt: expiresAt * 1_000,
      clockTolerance: rules.clockTolerance,
    });
    sessions.add(assertion, session);
    return session;
  }
}

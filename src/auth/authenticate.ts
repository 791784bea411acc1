import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../resilience/clock.ts';
import type { Principal } from '../session/principal.ts';
import { Session } from '../session/session.ts';
import type { SessionStore } from '../session/session-store.ts';
import { peekBearerToken, readBearerToken } from './bearer-token.ts';
import type { SigningKeys } from './signing-keys.ts';
import { createTokenVerifier, type TokenRules } from './verify-token.ts';

/** What {@link createAuthenticate} works with. */
export interface AuthenticateOptions {
  readonly sessions: SessionStore;
  readonly keys: SigningKeys;
  readonly rules: TokenRules;
  readonly now: Clock;
  readonly monotonicMs: Clock;
  readonly log: AuthenticateLog;
}

/** Takes what an operator should know about the tokens that arrive. */
export interface AuthenticateLog {
  warn(fields: object, message: string): void;
}

/** The log reminds of bound tokens once in this time. */
const REMINDER_INTERVAL_MS = 60 * 60 * 1_000;

/**
 * The step that finds out who is calling. It answers without a promise when the token has a session, so that a request
 * with a known token waits for nothing.
 */
export type Authenticate = (req: IncomingMessage, res: ServerResponse) => Session | Promise<Session>;

/**
 * Makes the step that finds out who is calling. It verifies a token once, when the token is new; after that, the
 * token's session answers for it. After a reload with other rules the token is verified once more.
 *
 * @throws {GatewayError} (the step) `missing_token`, `malformed_authorization`, `invalid_token`, or
 *   `identity_unavailable` while Entra's keys cannot be fetched
 */
export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const { sessions, keys, rules, now, monotonicMs, log } = options;
  let reminderAt = Number.NEGATIVE_INFINITY;
  const verify = createTokenVerifier(keys, rules, now);
  return (req, res) => {
    const session = sessions.find(peekBearerToken(req));
    return session?.rules === rules ? session : begin(readBearerToken(req), req, res);
  };

  async function begin(assertion: string, req: IncomingMessage, res: ServerResponse): Promise<Session> {
    // The look-up above found nothing where the header is written in an unusual way, such as with two spaces.
    const before = sessions.find(assertion);
    if (before?.rules === rules) {
      return before;
    }
    const { principal, signingKey, expSeconds } = await verify(req, res);
    // Requests with the same new token are verified side by side; the first to finish begins the session for all.
    const known = sessions.find(assertion);
    if (known?.rules === rules) {
      return known;
    }
    const session = new Session({
      principal,
      rules,
      signingKey,
      // A session whose token is still good after a reload goes on with its downstream tokens.
      tokens: known?.tokens,
      assertionExpSeconds: expSeconds,
    });
    sessions.add(assertion, session);
    if (principal.isBound) {
      remindOfBoundTokens(principal);
    }
    return session;
  }

  /** The line of each request says it too. This line says what to do about it, and once an hour is enough. */
  function remindOfBoundTokens({ clientId }: Principal): void {
    if (monotonicMs() - reminderAt < REMINDER_INTERVAL_MS) {
      return;
    }
    reminderAt = monotonicMs();
    log.warn(
      { azp: clientId, remedy: 'Let the client ask for plain bearer tokens, or set identity.boundTokens to refuse.' },
      'A token that is bound to a key (cnf) came as a plain bearer token: nothing proves that its sender has the key.',
    );
  }
}

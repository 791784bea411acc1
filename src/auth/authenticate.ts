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
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly monotonicMs: Clock;
  readonly log: AuthenticateLog;
}

/** Where it is told what an operator should know of the tokens that come. */
export interface AuthenticateLog {
  warn(fields: object, message: string): void;
}

/** Milliseconds between two lines about the same habit of clients. */
const REMINDER_INTERVAL_MS = 60 * 60 * 1_000;

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
  const { sessions, keys, rules, now, monotonicMs, log } = options;
  let reminderAt = Number.NEGATIVE_INFINITY;
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
    if (principal.isBound) {
      remindOfBoundTokens(principal);
    }
    return session;
  }

  /** Each request's own line says it too; this one says what to do, and once an hour is enough. */
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

import { randomBytes } from 'node:crypto';
import type { AccountInfo, ConfidentialClientApplication } from '@azure/msal-node';
import type { Request, Response } from 'express';

/** What the app remembers of one browser. */
export interface Session {
  /** One for each session, so that the tokens of a session serve no other, not even of the same user. */
  readonly msal: ConfidentialClientApplication;
  account: AccountInfo | null;
  /** Visits to Entra's sign-in page that are not over, by `state`. */
  readonly visits: Map<string, Visit>;
  /** How often the user was sent there since the last page that worked. */
  trips: number;
  /** Whether a refusal was shown that stands for the token, though it may be settled by now. */
  wantsFreshToken: boolean;
}

/** A visit to Entra's sign-in page. */
interface Visit {
  /** The proof that the code comes to whom it was asked for (PKCE). */
  readonly verifier: string;
  /** The page that the user wanted. */
  readonly returnTo: string;
}

const COOKIE = 'session';

/** In memory here; a real app keeps sessions where they expire and where all its replicas find them. */
const sessions = new Map<string, Session>();

/** The session of the browser that sends the request. */
export function findSession(req: Request): Session | undefined {
  const cookies = (req.get('cookie') ?? '').split('; ');
  const id = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  return sessions.get(id ?? '');
}

/** Gives the session a new cookie: before a sign-in and after it, so that a cookie known before is worth nothing. */
export function rememberSession(res: Response, session: Session, { secure }: { readonly secure: boolean }): void {
  for (const [id, known] of sessions) {
    if (known === session) {
      sessions.delete(id);
    }
  }
  const id = randomBytes(32).toString('base64url');
  sessions.set(id, session);
  res.cookie(COOKIE, id, { httpOnly: true, sameSite: 'lax', secure });
}

import type { Request, Response } from 'express';
import { randomHandle, type GrantStore, type SignIn } from './grant-store.ts';

const COOKIE = 'ESTSAUTH';

/** The sign-in that the browser's cookie stands for. */
export function readSession({ sessions }: GrantStore, req: Request<object>): SignIn | undefined {
  const cookies = (req.get('cookie') ?? '').split('; ');
  const handle = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  return sessions.get(handle ?? '');
}

/** Remembers a sign-in in the browser. */
export function rememberSession({ sessions }: GrantStore, res: Response, signIn: SignIn): void {
  const handle = randomHandle();
  sessions.set(handle, signIn);
  res.cookie(COOKIE, handle, { httpOnly: true, sameSite: 'lax' });
}

/** Forgets the sign-in of the browser. */
export function forgetSession(res: Response): void {
  res.clearCookie(COOKIE);
}

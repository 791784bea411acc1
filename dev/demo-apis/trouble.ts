import { setTimeout as wait } from 'node:timers/promises';
import type { RequestHandler, Response } from 'express';

/** What may go wrong in a demo API; at rest nothing does. */
export interface Trouble {
  /** How many more requests are troubled; default all. */
  times: number;
  /** Milliseconds before the headers of the answer. */
  delayMs: number;
  /** Never answers. */
  hang: boolean;
  /** Breaks the connection before the headers. */
  reset: boolean;
  /** Announces 1000 bytes, sends 100 and breaks the connection. */
  breakMidBody: boolean;
  /** Bytes of an extra header on an otherwise good answer. */
  extraHeaderBytes: number;
  /** Answers 401 with this `WWW-Authenticate`. */
  challenge: string | undefined;
  /** Answers with this status. */
  status: number | undefined;
  /** Headers of the answer that `status` or `challenge` sends, or of a good answer. */
  headers: Record<string, string>;
}

/** Nothing goes wrong. */
export function noTrouble(): Trouble {
  return {
    times: Infinity,
    delayMs: 0,
    hang: false,
    reset: false,
    breakMidBody: false,
    extraHeaderBytes: 0,
    challenge: undefined,
    status: undefined,
    headers: {},
  };
}

/** Does to each request what the trouble says at that time. */
export function causeTrouble(trouble: Trouble): RequestHandler {
  return (_req, res, next) => {
    if (trouble.times <= 0) {
      next();
      return;
    }
    trouble.times -= 1;
    const current = { ...trouble };
    delay(current.delayMs)
      .then(() => {
        if (!answerBadly(current, res)) {
          next();
        }
      })
      .catch(next);
  };
}

async function delay(ms: number): Promise<void> {
  if (ms > 0) {
    await wait(ms);
  }
}

function answerBadly(trouble: Trouble, res: Response): boolean {
  if (trouble.hang) {
    return true;
  }
  if (trouble.reset) {
    res.destroy();
    return true;
  }
  if (trouble.breakMidBody) {
    res.writeHead(200, { 'content-length': '1000', 'content-type': 'application/octet-stream' });
    res.write(Buffer.alloc(100), () => res.destroy());
    return true;
  }
  res.set(trouble.headers);
  if (trouble.extraHeaderBytes > 0) {
    res.set('X-Extra', 'x'.repeat(trouble.extraHeaderBytes));
  }
  if (trouble.challenge !== undefined) {
    res.set('WWW-Authenticate', trouble.challenge);
  }
  const status = trouble.status ?? (trouble.challenge === undefined ? undefined : 401);
  if (status === undefined) {
    return false;
  }
  res.status(status).json({ error: { code: 'trouble', message: 'A test asked for this answer.' } });
  return true;
}

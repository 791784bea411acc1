import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** One call of a client. */
export interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** One id for all that is asked about it, so that the gateway's log, the API and the client have the same. */
  readonly requestId: string;
  readonly hasBody: boolean;
  /** Aborted once there is nobody to answer any more. */
  readonly signal: AbortSignal;
}

const CLEAN_ID = /^[\w.:-]{1,64}$/;

/** Begins a call. */
export function beginCall(req: IncomingMessage, res: ServerResponse): Call {
  const { 'x-request-id': id, 'content-length': length = '0', 'transfer-encoding': encoding } = req.headers;
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return {
    req,
    res,
    requestId: typeof id === 'string' && CLEAN_ID.test(id) ? id : randomUUID(),
    hasBody: encoding !== undefined || length !== '0',
    signal: gone.signal,
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiHandler } from '../app.ts';
import { hasBody } from '../request/body.ts';
import { readTarget } from '../request/receive.ts';
import { OboUsageError } from './usage-error.ts';

/** A handler of Express, and of whatever calls handlers as it does. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

const ALREADY_READ =
  'obo.proxy() passes bodies on as they come, but another middleware has read the one of this request. Mount obo.proxy() ' +
  'before express.json() and the like, or give these the paths of your own handlers only.';

/**
 * Serves the operations of the contract below the path at which it is mounted; other paths go on to the next handler.
 *
 * @param refuse gives the error for a request that is not to be served any more; `undefined` for every other
 */
export function createProxy(
  api: ApiHandler,
  refuse: (req: IncomingMessage, res: ServerResponse) => unknown,
): Middleware {
  return (req, res, next) => {
    if (!api.serves(readTarget(req.url ?? '').path)) {
      next();
      return;
    }
    const refusal = refuse(req, res);
    if (refusal !== undefined) {
      next(refusal);
      return;
    }
    if (hasBody(req) && (req.readableDidRead || req.readableEnded)) {
      next(new OboUsageError(ALREADY_READ));
      return;
    }
    api.handle(req, res);
  };
}

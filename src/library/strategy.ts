import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../session/principal.ts';
import type { Guard } from './protect.ts';

/** What passport gives a strategy besides the request; a refusal goes on as an error, as that of `protect` does. */
interface Outcome {
  success(user: Principal): void;
  error(error: unknown): void;
}

/** A strategy of passport. */
export interface OboStrategy {
  name: string;
  authenticate(req: IncomingMessage, options?: object): void;
}

/** What Express adds to a message. */
type ExpressMessage = IncomingMessage & { readonly res?: ServerResponse };

/**
 * Makes a strategy of passport by the rules of `protect`.
 *
 * @param onAdmitted called with the request of each caller who is let in
 */
export function createStrategy(
  guard: Guard,
  onAdmitted: (req: IncomingMessage, principal: Principal) => void,
): OboStrategy {
  return {
    name: 'obo',
    authenticate(this: OboStrategy & Outcome, req: ExpressMessage) {
      const { res } = req;
      if (res === undefined) {
        this.error(new TypeError('The strategy needs the response of its request (req.res), as Express sets it.'));
        return;
      }
      guard.admit(req, res).then(
        ({ admission }) => {
          const { principal } = (admission as NonNullable<typeof admission>).session;
          onAdmitted(req, principal);
          this.success(principal);
        },
        (error: unknown) => this.error(error),
      );
    },
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChallengeFrame } from '../challenge/www-authenticate.ts';
import type { GatewayError } from '../failures.ts';
import { composeAnswer, type FailureContext } from '../http/answer-failure.ts';
import type { RequestAccount } from '../inbound-request.ts';
import { OboError } from './obo-error.ts';
import { ProtectedRequest } from './protected-request.ts';
import { replaceAnswer } from './replace-answer.ts';

/** What the requests of one instance have in common. */
export interface RequestsOptions {
  readonly account: RequestAccount;
  readonly frame: ChallengeFrame;
  /** The headers of all our own answers to a page of this origin: names and values in turn. */
  readonly ownHeaders: (origin: string | undefined) => readonly string[];
  /** Called when a failure was answered with a page of Express, or without its challenge. */
  readonly onUnanswered: (failure: OboError) => void;
}

/** A message of Node, or what a framework puts around it. */
export type MessageLike = IncomingMessage | { readonly raw: IncomingMessage };

/** The headers that describe a body, which is another one where somebody else answers. */
const OF_THE_BODY: ReadonlySet<string> = new Set(['content-type', 'content-length']);

/** The requests that one instance has seen, and the errors that it made for them. Nothing hangs on the requests themselves. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #byMessage = new WeakMap<IncomingMessage, ProtectedRequest>();
  readonly #byError = new WeakMap<object, ProtectedRequest>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** The request of a message, from the first time on that it is asked for. */
  begin(req: IncomingMessage, res: ServerResponse): ProtectedRequest {
    const known = this.#byMessage.get(req);
    if (known !== undefined) {
      return known;
    }
    const request = this.#options.account.begin(req, res);
    request.record.via = 'application';
    request.record.areCallsCounted = true;
    const begun = new ProtectedRequest(request, {
      toOboError: (failure, of) => this.#toOboError(failure, of),
      answer: (failure, of) => replaceAnswer(of.request.res, failure, this.contextOf(of)),
      onUnanswered: this.#options.onUnanswered,
    });
    this.#byMessage.set(req, begun);
    return begun;
  }

  /** The request of a message; `undefined` for one that this instance has not seen. */
  find(message: MessageLike): ProtectedRequest | undefined {
    // A message of Node can have a `raw` as well, which some middleware set on it.
    return (
      this.#byMessage.get(message as IncomingMessage) ??
      this.#byMessage.get((message as { raw?: IncomingMessage } | undefined)?.raw as IncomingMessage)
    );
  }

  /** The request for which an error was made; `undefined` for one that is not of this instance. */
  ofError(error: object): ProtectedRequest | undefined {
    return this.#byError.get(error);
  }

  /** What the answer to a failure of a request needs. */
  contextOf({ request }: ProtectedRequest): FailureContext {
    const { req, requestId, instance } = request;
    const { frame, ownHeaders } = this.#options;
    return {
      frame,
      requestId,
      instance,
      ownHeaders: ['x-request-id', requestId, ...ownHeaders(req.headers.origin)],
    };
  }

  #toOboError(failure: GatewayError, request: ProtectedRequest): OboError {
    const { headers } = composeAnswer(failure, this.contextOf(request));
    const error = new OboError(
      failure,
      Object.fromEntries(Object.entries(toRecord(headers)).filter(([name]) => !OF_THE_BODY.has(name))),
    );
    this.#byError.set(error, request);
    return error;
  }
}

/** Headers by their names, from names and values in turn. */
export function toRecord(headers: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2);
    record[name] = record[name] === undefined ? value : `${record[name]}, ${value}`;
  }
  return record;
}

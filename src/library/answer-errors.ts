import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayError } from '../failures.ts';
import { composeAnswer } from '../http/answer-failure.ts';
import { CallerGone } from '../request/caller-gone.ts';
import { hasUncertainEnd } from '../request/uncertain-end.ts';
import { findError } from './find-error.ts';
import { isJoinable, joinFailures } from './join-failures.ts';
import { OboError } from './obo-error.ts';
import type { ProtectedRequest } from './protected-request.ts';
import { replaceAnswer } from './replace-answer.ts';
import { toRecord, type MessageLike, type Requests } from './requests.ts';

/** How an answer looks that another framework sends. */
export interface ProblemAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The problem document as JSON text. */
  readonly body: string;
}

/** The error handler of Express, and of whatever calls error handlers as it does. */
export type AnswerErrors = (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Milliseconds that an answer waits for the other calls of its request: what they ask for belongs to one step-up. */
const JOIN_TIMEOUT_MS = 2_000;

/** Makes the error handler of one instance: what is not an error of its own goes on to the next one. */
export function createAnswerErrors(requests: Requests): AnswerErrors {
  // The four parameters are how Express knows an error handler.
  return (error, req, res, next) => {
    const found = findOwn(error, req, requests);
    if (found === undefined) {
      if (findError(error, (each) => each instanceof CallerGone || undefined) === true && res.closed) {
        return;
      }
      next(error);
      return;
    }
    const request = requests.find(req) ?? found.request;
    void joinOthers(found, request)
      .then((failure) => answer(failure, request, res, requests))
      // Middleware may have put what throws in the place of `writeHead`.
      .catch(next);
  };
}

/**
 * Makes the answer to an error for other frameworks than Express.
 *
 * @returns `undefined` for what is not an error of this instance
 */
export async function toProblemAnswer(
  error: unknown,
  message: MessageLike | undefined,
  requests: Requests,
): Promise<ProblemAnswer | undefined> {
  const found = findOwn(error, message, requests);
  if (found === undefined) {
    return undefined;
  }
  const request = (message && requests.find(message)) ?? found.request;
  const failure = await joinOthers(found, request);
  const { status, headers, body } = composeAnswer(failure, requests.contextOf(request));
  return { status, headers: toRecord(headers), body };
}

interface OwnFailure {
  readonly error: OboError;
  /** For which it was made: not the one that is answered, where handlers share what they wait for. */
  readonly request: ProtectedRequest;
}

function findOwn(thrown: unknown, message: MessageLike | undefined, requests: Requests): OwnFailure | undefined {
  const own = findError(thrown, (error) => {
    const request = error instanceof OboError ? requests.ofError(error) : undefined;
    return request && { error: error as OboError, request };
  });
  return own ?? findCopied(thrown, message && requests.find(message));
}

/**
 * Finds the failure of a request of which an error was made that does not name its cause: such a one has the stack of the
 * failure, as the `GraphError` of Microsoft's Graph client does.
 */
function findCopied(thrown: unknown, request: ProtectedRequest | undefined): OwnFailure | undefined {
  return (
    request &&
    findError(thrown, ({ stack }: { readonly stack?: unknown }) => {
      const error =
        typeof stack === 'string' ? request.failures.find((failure) => isPartOf(stack, failure)) : undefined;
      return error && { error, request };
    })
  );
}

function isPartOf(text: string, { stack = '' }: OboError): boolean {
  return stack !== '' && text.includes(stack);
}

async function joinOthers({ error, request }: OwnFailure, answered: ProtectedRequest): Promise<GatewayError> {
  const { req, res } = answered.request;
  answered.isAnswered = true;
  if (hasUncertainEnd(req)) {
    res.shouldKeepAlive = false;
  }
  if (isJoinable(error)) {
    await request.untilIdle(JOIN_TIMEOUT_MS);
  }
  const failure = joinFailures(error, request.failures);
  answered.request.record.error = failure;
  return failure;
}

function answer(failure: GatewayError, request: ProtectedRequest, res: ServerResponse, requests: Requests): void {
  // A whole answer is out already: nothing that follows changes it.
  if (!res.writableEnded) {
    replaceAnswer(res, failure, requests.contextOf(request));
  }
}

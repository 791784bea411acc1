import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Operation } from '../contract/operations/operation.ts';
import { GatewayError, type FailureCode } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import type { Steps } from '../journey.ts';
import { CallerGone } from '../request/caller-gone.ts';
import type { Session } from '../session/session.ts';
import { CallLifetime } from './call-lifetime.ts';
import type { OboError } from './obo-error.ts';

/** Who was let in, to what. */
export interface Admission {
  readonly session: Session;
  readonly operation: Operation;
  /** The token with which the caller was let in. */
  readonly assertion: string;
  /** The steps with which the caller was let in. */
  readonly steps: Steps;
}

/** What the requests of one instance are handled with. */
export interface RequestReports {
  /** Makes the error of a failure that an application gets. */
  toOboError(failure: GatewayError, request: ProtectedRequest): OboError;
  /** Answers with a failure, or breaks off an answer that has begun. */
  answer(failure: GatewayError, request: ProtectedRequest): void;
  /** Called when a failure was answered with a page of Express, or without its challenge. */
  onUnanswered(failure: OboError): void;
}

/** The most failures of one request that are remembered: a handler may try again and again. */
const MAX_FAILURES = 100;

/** The status with which Express answers an error that names none, as one that wraps a failure of ours. */
const UNKNOWN_ERROR = 500;

/** The lowest status of a refusal. */
const LOWEST_ERROR = 400;

/** The header without which no client can act on a refusal that asks for something. */
const CHALLENGE = 'www-authenticate';

/** The status of an `AxiosError` that Express takes over, where it wraps a downstream's 401. */
const OF_DOWNSTREAM = 401;

/** The failures without claims that the user was asked to end, or that ended a loop of such ones. */
const ASKING: ReadonlySet<FailureCode> = new Set([
  'interaction_required',
  'invalid_token',
  'step_up_unsatisfiable',
  'gateway_misconfigured',
]);

/** A request of an application from the moment when `protect` looks at it, and the calls that are made for it. */
export class ProtectedRequest {
  readonly request: InboundRequest;
  /** Absent until its caller is let in. */
  admission: Admission | undefined;
  /** True once `answerErrors` or `toProblem` has looked at a failure of it. */
  isAnswered = false;
  /** The failures that its handler got, oldest first. */
  readonly failures: OboError[] = [];
  readonly #reports: RequestReports;
  #isWatched = false;
  /** True once one of its calls asked its user for something. */
  #isUserAsked = false;
  readonly #successes = new Map<Operation, () => void>();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #lifetimes = new Set<CallLifetime>();

  constructor(request: InboundRequest, reports: RequestReports) {
    this.request = request;
    this.#reports = reports;
    const { res } = request;
    res.once('close', () => {
      // What a handler goes on with once its answer is out is its own business.
      if (!res.writableFinished) {
        this.#lifetimes.forEach((lifetime) => lifetime.end());
      }
      this.#noteSuccesses();
    });
  }

  /** The message of the caller. */
  get message(): IncomingMessage {
    return this.request.req;
  }

  /** Begins the time of a call, which ends when the caller leaves. */
  openLifetime(): CallLifetime {
    const { res } = this.request;
    const lifetime = new CallLifetime();
    this.#lifetimes.add(lifetime);
    lifetime.once('close', () => this.#lifetimes.delete(lifetime));
    if (res.closed && !res.writableFinished) {
      lifetime.end();
    }
    return lifetime;
  }

  /** Lets go of a call that is over. */
  release(lifetime: CallLifetime): void {
    this.#lifetimes.delete(lifetime);
  }

  /**
   * Notes the success of a call once the request is over, and only if its user was asked for nothing: one call that
   * succeeds says nothing about another one that the user keeps stepping up for.
   */
  noteSuccess(operation: Operation, note: () => void): void {
    this.#successes.set(operation, note);
    if (this.request.res.closed) {
      this.#noteSuccesses();
    }
  }

  #noteSuccesses(): void {
    if (!this.#isUserAsked) {
      this.#successes.forEach((note) => note());
    }
    this.#successes.clear();
  }

  /** Makes of what a step threw what the application gets, and remembers it for the answer. */
  refuse(thrown: unknown): unknown {
    if (!(thrown instanceof GatewayError) || this.failures.includes(thrown as OboError)) {
      return thrown;
    }
    this.#isUserAsked ||= thrown.facts.claims !== undefined || ASKING.has(thrown.code);
    const error = this.#reports.toOboError(thrown, this);
    if (this.failures.length === 0) {
      this.request.res.once('finish', () => this.#judgeAnswer());
    }
    if (this.failures.length < MAX_FAILURES) {
      this.failures.push(error);
    }
    return error;
  }

  /**
   * Looks after the streams that are piped into the answer, once its handler has one of ours: `pipe` has no ear for errors.
   * A body that breaks off would leave the caller waiting with a part of the whole, and one that ends because the caller
   * left would end the process.
   */
  watchAnswer(): void {
    if (!this.#isWatched) {
      this.#isWatched = true;
      this.request.res.on('pipe', (source) => {
        source.on('error', (error) => this.#endAnswer(error, source));
      });
    }
  }

  #endAnswer(error: unknown, source: Readable): void {
    const { res, record } = this.request;
    if (error instanceof CallerGone) {
      // It has left, or has read nothing for too long.
      res.destroy();
    } else if (error instanceof GatewayError) {
      if (!res.writableEnded) {
        this.isAnswered = true;
        record.error = error;
        this.#reports.answer(error, this);
      }
    } else if (source.listenerCount('error') === 1) {
      // It is not of ours, and would not have been heard without this listener.
      throw error;
    }
  }

  /** Finds out whether a failure became the answer though neither `answerErrors` nor `toProblem` was asked. */
  #judgeAnswer(): void {
    if (this.isAnswered) {
      return;
    }
    const { res, record } = this.request;
    const isPage = String(res.getHeader('content-type')).startsWith('text/html');
    const answered =
      this.failures.find((failure) => isAnsweredWith(failure, res.statusCode)) ??
      (isPage && res.statusCode === UNKNOWN_ERROR ? this.failures[0] : undefined);
    if (answered !== undefined) {
      record.error = answered;
    }
    const unanswered = (isPage ? answered : undefined) ?? this.#findLostChallenge();
    if (unanswered !== undefined) {
      this.#reports.onUnanswered(unanswered);
    }
  }

  /** The failure whose challenge is not in the answer of an application that has an error handler of its own. */
  #findLostChallenge(): OboError | undefined {
    const { res } = this.request;
    // Node does not tell the headers that were only given to writeHead().
    const isKnown = res.getHeaderNames().length > 0 && !res.hasHeader(CHALLENGE);
    return isKnown && res.statusCode >= LOWEST_ERROR
      ? this.failures.find(({ headers }) => headers[CHALLENGE] !== undefined)
      : undefined;
  }

  /**
   * Follows work that is done for the request, so that an answer can wait for it. A handler that fails waits for nothing
   * more: what fails besides must not end the process.
   */
  async follow<T>(work: () => Promise<T>): Promise<T> {
    const running = work().catch((error: unknown) => {
      throw this.refuse(error);
    });
    this.#pending.add(running);
    try {
      return await running;
    } finally {
      this.#pending.delete(running);
    }
  }

  /** Waits for the work that is under way, but not for longer than a time. */
  async untilIdle(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), milliseconds);
    });
    while (this.#pending.size > 0) {
      if ((await Promise.race([Promise.allSettled(this.#pending), late])) === 'late') {
        break;
      }
    }
    clearTimeout(timer);
  }
}

function isAnsweredWith({ code, status }: OboError, answered: number): boolean {
  return status === answered || (code === 'downstream_rejected_token' && answered === OF_DOWNSTREAM);
}

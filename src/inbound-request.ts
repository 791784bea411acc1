import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from './failures.ts';
import { lingerOverBody } from './http/server.ts';
import { hasBody } from './request/body.ts';
import { readRequestId, readTarget, type RequestTarget } from './request/receive.ts';
import { RequestRecord } from './telemetry/request-record.ts';

/** One request on its way. */
export interface InboundRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  /** The path that the client asked for, also where the handler stands below a path of an application. */
  readonly instance: string;
  /** What of that path stands before the request target; empty for a gateway. */
  readonly mountPath: string;
  /** The caller's own `x-request-id` where it is short and clean, otherwise a new one. */
  readonly requestId: string;
  /**
   * The caller's token, where the caller was let in before: the headers of an application's request may change in between.
   * Default: the one of the headers.
   */
  readonly assertion?: string;
  /** What the log and the metrics will say of the request. Steps write to it; none reads it. */
  readonly record: RequestRecord;
}

/** A request as Node has it, or as Express does, whose mounted handlers see only the rest of the path in `url`. */
type ArrivedMessage = IncomingMessage & { readonly originalUrl?: string; readonly baseUrl?: string };

/** Handles the requests of one configuration. A request stays with the handler that it began with. */
export interface RequestHandler {
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** Resolves once the last request is over; to be called when no more come. */
  untilIdle(): Promise<void>;
}

/** What happens with each request, whatever it is for. */
export interface RequestAccountOptions {
  /** Where the requests under way are counted, those of other handlers too. */
  readonly inFlight: { count: number };
  /** Called with every request once it is over. */
  readonly onRequest: (req: IncomingMessage, record: RequestRecord) => void;
}

/** The status in the log and the metrics of a request whose caller left before any was sent. */
const CALLER_GONE = 499;

/** `Retry-After` in seconds while too many requests are under way. */
const OVERLOAD_WAIT_SECONDS = 1;

/** Keeps account of the requests of one handler. */
export class RequestAccount {
  readonly #options: RequestAccountOptions;
  #underWay = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: RequestAccountOptions) {
    this.#options = options;
  }

  /** Begins a request: from here on it is counted, and its record is handed over when it is over. */
  begin(req: ArrivedMessage, res: ServerResponse): InboundRequest {
    const { inFlight, onRequest } = this.#options;
    const { url = '', originalUrl = url } = req;
    const target = readTarget(url);
    const instance = originalUrl === url ? target.path : readTarget(originalUrl).path;
    const mountPath = instance === target.path ? '' : (req.baseUrl ?? '');
    const requestId = readRequestId(req);
    const record = new RequestRecord(requestId);
    const request = { req, res, target, instance, mountPath, requestId, record };
    inFlight.count += 1;
    this.#underWay += 1;
    const end = (): void => {
      inFlight.count -= 1;
      record.callerGone = !res.writableFinished && record.error === undefined;
      record.status ??= record.callerGone && !res.headersSent ? CALLER_GONE : res.statusCode;
      record.durationMs = performance.now() - record.startedAt;
      onRequest(req, record);
      this.#end();
    };
    if (res.closed) {
      // The caller left while an application did something before: `close` does not come again.
      setImmediate(end);
    } else {
      // Not once(): `close` comes only once, and taking the listener away again would cost every request.
      res.on('close', end);
    }
    return request;
  }

  /** Resolves once the last request is over; to be called when no more come. */
  untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#noteIdle();
    });
  }

  #end(): void {
    this.#underWay -= 1;
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#underWay === 0) {
      this.#onIdle?.();
    }
  }
}

/** Keeps reading, for a moment, the body of a request that is answered before it was read. */
export function lingerAfterAnswer({ req, res }: InboundRequest): void {
  if (hasBody(req)) {
    res.once('finish', () => lingerOverBody(req));
  }
}

/**
 * Refuses a request while too many are under way.
 *
 * @throws {GatewayError} `overloaded`
 */
export function refuseOverload(inFlight: { readonly count: number }, maxInFlight: number): void {
  if (inFlight.count <= maxInFlight) {
    return;
  }
  throw new GatewayError('overloaded', {
    retryAfter: OVERLOAD_WAIT_SECONDS,
    log: {
      reason: `more than ${maxInFlight} requests are under way`,
      remedy: 'Raise server.maxInFlight if there is memory for more, or run more workers or replicas.',
    },
  });
}

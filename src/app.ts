import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Application } from 'express';
import { CallerGone } from './request/caller-gone.ts';
import type { ChallengeFrame } from './challenge/www-authenticate.ts';
import { OWN_PATHS } from './contract/own-paths.ts';
import type { DocumentationPage } from './documentation/documentation-page.ts';
import { GatewayError, toGatewayError } from './failures.ts';
import { answerFailure } from './http/answer-failure.ts';
import type { CorsPolicy } from './http/cors.ts';
import type { SecurityHeaders } from './http/security-headers.ts';
import { keepNativePrototypes, lingerOverBody } from './http/server.ts';
import { handleRequest, type InboundRequest, type Steps } from './journey.ts';
import type { NativeAuth } from './native-auth/native-auth.ts';
import { toOAuthError } from './native-auth/oauth-error.ts';
import { readRequestId, readTarget, receive } from './request/receive.ts';
import { hasBody } from './request/body.ts';
import type { RequestRecord } from './telemetry/request-record.ts';

/** What the API's application is made of. */
export interface AppOptions {
  readonly steps: Steps;
  readonly cors: CorsPolicy;
  /** Bytes of a request's line and headers. */
  readonly headLimitBytes: number;
  /** Requests under way at a time. */
  readonly maxInFlight: number;
  /** Where the requests under way are counted, those of other configurations too. */
  readonly inFlight: { count: number };
  readonly security: SecurityHeaders;
  readonly frame: ChallengeFrame;
  /** The documents of the contract for clients, as JSON text, by their paths. */
  readonly documents: ReadonlyMap<string, () => string>;
  /**
   * The path of the RFC 9728 metadata where the public address has a path itself.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1
   */
  readonly metadataPath: string;
  /**
   * Writes the RFC 9728 metadata as JSON text, anew for each request, because the issuer in it is what Entra's own
   * metadata say.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
   */
  readonly metadata: () => string;
  /** Native authentication, which answers on paths of its own; absent unless gateway.yaml turns it on. */
  readonly nativeAuth: NativeAuth | undefined;
  /** Absent unless gateway.yaml turns it on. */
  readonly documentation: DocumentationPage | undefined;
  /** Called with every request once it is over. */
  readonly onRequest: (req: IncomingMessage, record: RequestRecord) => void;
}

/** The status in the log and the metrics of a request whose caller left before any was sent. */
const CALLER_GONE = 499;

/** `Retry-After` in seconds while too many requests are under way. */
const OVERLOAD_WAIT_SECONDS = 1;

/** Answers a request, or returns `false` for one that is not for this door. */
type Door = (request: InboundRequest) => Promise<void> | boolean;

/** The API of one configuration. A request stays with the handler that it began with. */
export interface ApiHandler {
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** Resolves once the last request is over; to be called when no more come. */
  untilIdle(): Promise<void>;
}

/**
 * Gives an application the API.
 *
 * @param current gives the handler of the configuration that counts now; called once for each request
 */
export function mountApi(app: Application, current: () => ApiHandler): void {
  keepNativePrototypes(app);
  app.use((req: IncomingMessage, res: ServerResponse) => current().handle(req, res));
}

/** Makes the handler of one configuration: the journey, and what else the gateway answers on the same port. */
export function createApiHandler(options: AppOptions): ApiHandler {
  const { headLimitBytes, maxInFlight, inFlight, onRequest } = options;
  const doors = openDoors(options);
  let underWay = 0;
  let onIdle: (() => void) | undefined;
  return {
    handle(req, res) {
      void handle(begin(req, res));
    },
    untilIdle: () =>
      new Promise((resolve) => {
        onIdle = resolve;
        noteIdle();
      }),
  };

  function noteIdle(): void {
    if (underWay === 0) {
      onIdle?.();
    }
  }

  async function handle(request: InboundRequest): Promise<void> {
    try {
      if (inFlight.count > maxInFlight) {
        throw overloaded(maxInFlight);
      }
      receive(request.req, request.target, headLimitBytes);
      for (const door of doors) {
        const answered = door(request);
        if (answered !== false) {
          await answered;
          return;
        }
      }
    } catch (error) {
      fail(request, error, options);
    }
  }

  function begin(req: IncomingMessage, res: ServerResponse): InboundRequest {
    const target = readTarget(req.url ?? '');
    const requestId = readRequestId(req);
    const record: RequestRecord = { requestId, startedAt: performance.now() };
    const request = { req, res, target, requestId, record };
    // Not once(): `close` comes only once, and taking the listener away again would cost every request.
    inFlight.count += 1;
    underWay += 1;
    res.on('close', () => {
      inFlight.count -= 1;
      underWay -= 1;
      record.callerGone = !res.writableFinished && record.error === undefined;
      record.status = record.callerGone && !res.headersSent ? CALLER_GONE : res.statusCode;
      onRequest(req, record);
      noteIdle();
    });
    if (hasBody(req)) {
      res.once('finish', () => lingerOverBody(req));
    }
    return request;
  }
}

/** Lists the doors in the order in which they are tried; the first that a request is for answers it. */
function openDoors(options: AppOptions): readonly Door[] {
  const { steps, documentation } = options;
  const documents = new Map<string, () => string>([
    ...options.documents,
    [OWN_PATHS.metadata, options.metadata],
    [options.metadataPath, options.metadata],
  ]);
  return [
    (request) => proxyNativeAuth(request, options),
    (request) => answerPreflight(request, options),
    (request) => serveDocument(request, documents, options),
    ...(documentation ? [(request: InboundRequest) => documentation.answer(request)] : []),
    (request) => handleRequest(request, steps),
  ];
}

function overloaded(maxInFlight: number): GatewayError {
  return new GatewayError('overloaded', {
    retryAfter: OVERLOAD_WAIT_SECONDS,
    log: {
      reason: `more than ${maxInFlight} requests are under way`,
      remedy: 'Raise server.maxInFlight if there is memory for more, or run more workers or replicas.',
    },
  });
}

function proxyNativeAuth(request: InboundRequest, options: AppOptions): Promise<void> | false {
  return findNativeAuth(request, options)?.answer(request, ownHeaders(request, options)) ?? false;
}

function findNativeAuth({ target }: InboundRequest, { nativeAuth }: AppOptions): NativeAuth | undefined {
  return nativeAuth?.serves(target.path) === true ? nativeAuth : undefined;
}

function ownHeaders(request: InboundRequest, options: AppOptions): string[] {
  const { req, requestId } = request;
  const { cors } = findNativeAuth(request, options) ?? options;
  return ['x-request-id', requestId, ...cors.headersFor(req.headers.origin), ...options.security.own];
}

function answerPreflight(request: InboundRequest, options: AppOptions): boolean {
  const { req, res } = request;
  const { cors } = options;
  const isPreflight = cors.isPreflight(req);
  if (isPreflight) {
    cors.answerPreflight(req, res, ownHeaders(request, options));
  }
  return isPreflight;
}

function serveDocument(
  request: InboundRequest,
  documents: ReadonlyMap<string, () => string>,
  { cors, security }: AppOptions,
): boolean {
  const { req, res, target, requestId, record } = request;
  const write = documents.get(target.path);
  if (write === undefined) {
    return false;
  }
  record.operation = target.path;
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    throw new GatewayError('method_not_allowed', { allow: ['GET', 'HEAD'] });
  }
  const document = write();
  const length = String(Buffer.byteLength(document));
  res.writeHead(200, [
    'content-type',
    'application/json',
    'content-length',
    length,
    'x-request-id',
    requestId,
    ...cors.publicHeaders,
    ...security.own,
  ]);
  res.end(document);
  return true;
}

function fail(request: InboundRequest, thrown: unknown, options: AppOptions): void {
  const { res, target, requestId, record } = request;
  if (thrown instanceof CallerGone) {
    res.destroy();
    return;
  }
  if (hasUncertainEnd(request.req)) {
    res.shouldKeepAlive = false;
  }
  const failure = toGatewayError(thrown);
  record.error = failure;
  answerFailure(res, failure, {
    frame: options.frame,
    requestId,
    instance: target.path,
    ownHeaders: ownHeaders(request, options),
    extensions: findNativeAuth(request, options) && toOAuthError(failure),
  });
}

/**
 * True where nobody can be certain what the next bytes on the connection are: a caller that asked whether to send its
 * body may or may not send it after a refusal, and chunks in HTTP/1.0 are a body to some and requests to others (RFC
 * 9112 §6.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.1
 */
function hasUncertainEnd({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined || (httpVersion === '1.0' && headers['transfer-encoding'] !== undefined);
}

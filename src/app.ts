import { CallerGone } from './request/caller-gone.ts';
import type { ChallengeFrame } from './challenge/www-authenticate.ts';
import type { DocumentationPage } from './documentation/documentation-page.ts';
import { toOAuthError } from './entra/oauth-error.ts';
import { GatewayError, toGatewayError } from './failures.ts';
import { answerFailure } from './http/answer-failure.ts';
import { isPreflight, type CorsPolicy } from './http/cors.ts';
import type { SecurityHeaders } from './http/security-headers.ts';
import {
  RequestAccount,
  lingerAfterAnswer,
  refuseOverload,
  type InboundRequest,
  type RequestAccountOptions,
  type RequestHandler,
} from './inbound-request.ts';
import { handleRequest, type Steps } from './journey.ts';
import type { McpFacade } from './mcp/facade/mcp-facade.ts';
import { toJsonRpcError } from './mcp/json-rpc-error.ts';
import type { NativeAuth } from './native-auth/native-auth.ts';
import { receive } from './request/receive.ts';
import { hasUncertainEnd } from './request/uncertain-end.ts';
import { writeHead } from './runtime/write-head.ts';

/** What the API's application is made of. */
export interface AppOptions extends RequestAccountOptions {
  readonly steps: Steps;
  /** True for the path of some operation of the contract. */
  readonly hasOperation: (path: string) => boolean;
  readonly cors: CorsPolicy;
  /** The same for MCP servers, of whose answers pages read more. */
  readonly mcpCors: CorsPolicy;
  /** True for the path of an MCP server. */
  readonly isMcpServer: (path: string) => boolean;
  /** Bytes of a request's line and headers. */
  readonly headLimitBytes: number;
  /** Requests under way at a time. */
  readonly maxInFlight: number;
  readonly security: SecurityHeaders;
  readonly frame: ChallengeFrame;
  /**
   * The documents for clients, as JSON text, by their paths: those of the contract, and the RFC 9728 metadata.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1
   */
  readonly documents: ReadonlyMap<string, () => string>;
  /** Native authentication, which answers on paths of its own; absent unless gateway.yaml turns it on. */
  readonly nativeAuth: NativeAuth | undefined;
  /** What clients of MCP servers take for the authorization server; absent unless gateway.yaml turns it on. */
  readonly mcpFacade: McpFacade | undefined;
  /** Absent unless gateway.yaml turns it on. */
  readonly documentation: DocumentationPage | undefined;
}

/** Answers a request, or returns `false` for one that is not for this door. */
type Door = (request: InboundRequest) => Promise<void> | boolean;

/** The handler of the API of one configuration. */
export interface ApiHandler extends RequestHandler {
  /** True for a path at which it answers something else than that there is nothing. */
  serves(path: string): boolean;
}

/** Makes the handler of one configuration: the journey, and what else the gateway answers on the same port. */
export function createApiHandler(options: AppOptions): ApiHandler {
  const { headLimitBytes, maxInFlight, inFlight, documents, documentation, nativeAuth } = options;
  const doors = openDoors(options);
  const account = new RequestAccount(options);
  return {
    handle(req, res) {
      const request = account.begin(req, res);
      lingerAfterAnswer(request);
      handle(request);
    },
    untilIdle: () => account.untilIdle(),
    serves: (path) =>
      options.hasOperation(path) ||
      documents.has(path) ||
      documentation?.serves(path) === true ||
      nativeAuth?.serves(path) === true ||
      options.mcpFacade?.serves(path) === true,
  };

  function handle(request: InboundRequest): void {
    try {
      refuseOverload(inFlight, maxInFlight);
      receive(request.req, request.target, headLimitBytes);
      for (const door of doors) {
        const answered = door(request);
        if (answered !== false) {
          if (answered instanceof Promise) {
            answered.catch((error: unknown) => fail(request, error, options));
          }
          return;
        }
      }
    } catch (error) {
      fail(request, error, options);
    }
  }
}

/** Lists the doors in the order in which they are tried; the first that a request is for answers it. */
function openDoors(options: AppOptions): readonly Door[] {
  const { steps, documents, documentation } = options;
  return [
    (request) => proxyNativeAuth(request, options),
    (request) => askMcpFacade(request, options),
    (request) => answerPreflight(request, options),
    (request) => serveDocument(request, documents, options),
    ...(documentation ? [(request: InboundRequest) => documentation.answer(request)] : []),
    (request) => handleRequest(request, steps),
  ];
}

function proxyNativeAuth(request: InboundRequest, options: AppOptions): Promise<void> | false {
  return findNativeAuth(request, options)?.answer(request, ownHeaders(request, options)) ?? false;
}

function findNativeAuth({ target }: InboundRequest, { nativeAuth }: AppOptions): NativeAuth | undefined {
  return nativeAuth?.serves(target.path) === true ? nativeAuth : undefined;
}

function askMcpFacade(request: InboundRequest, options: AppOptions): Promise<void> | false {
  return findMcpFacade(request, options)?.answer(request, ownHeaders(request, options)) ?? false;
}

function findMcpFacade({ target }: InboundRequest, { mcpFacade }: AppOptions): McpFacade | undefined {
  return mcpFacade?.serves(target.path) === true ? mcpFacade : undefined;
}

function ownHeaders(request: InboundRequest, options: AppOptions): string[] {
  const { req, requestId } = request;
  const apiCors = options.isMcpServer(request.target.path) ? options.mcpCors : options.cors;
  const cors = findNativeAuth(request, options)?.cors ?? apiCors;
  const corsHeaders = findMcpFacade(request, options)?.answerHeaders ?? cors.headersFor(req.headers.origin);
  return ['x-request-id', requestId, ...corsHeaders, ...options.security.own];
}

function answerPreflight(request: InboundRequest, options: AppOptions): boolean {
  const { req, res } = request;
  const { cors } = options;
  const isAllowed = cors.allowsPreflight(req);
  if (isAllowed) {
    cors.answerPreflight(req, res, ownHeaders(request, options));
  }
  return isAllowed;
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
  if (isPreflight(req)) {
    cors.answerPreflight(req, res, ['x-request-id', requestId, ...cors.publicHeaders, ...security.own]);
    return true;
  }
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    throw new GatewayError('method_not_allowed', { allow: ['GET', 'HEAD'] });
  }
  const document = write();
  const length = String(Buffer.byteLength(document));
  writeHead(res, 200, [
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
  const { res, target, instance, requestId, record } = request;
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
    instance,
    ownHeaders: ownHeaders(request, options),
    instead: options.mcpFacade?.writeRefusal(target.path, failure) ?? toJsonRpcError(failure),
    extensions: findNativeAuth(request, options) && toOAuthError(failure),
  });
}

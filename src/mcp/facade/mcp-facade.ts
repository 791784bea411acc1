import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FACADE_PATHS, wellKnownPath } from '../../contract/own-paths.ts';
import type { EntraHttpClient } from '../../entra/http-client.ts';
import { postForm } from '../../entra/post-form.ts';
import { GatewayError } from '../../failures.ts';
import type { ErrorAnswer } from '../../http/answer-failure.ts';
import type { Networks } from '../../network/networks.ts';
import type { BodyMemory } from '../../request/body-memory.ts';
import { parseForm } from '../../request/form.ts';
import { countRequest, RateLimit, type RateLimitRules } from '../../request/rate-limit.ts';
import { receiveForm, receiveSmallBody } from '../../request/receive-form.ts';
import type { RequestTarget } from '../../request/receive.ts';
import type { Clock } from '../../resilience/clock.ts';
import type { RequestRecord } from '../../telemetry/request-record.ts';
import { toEntraQuery } from './authorize.ts';
import { ANSWER_HEADERS, preflightHeaders } from './cors.ts';
import type { FacadeServer } from './facade-server.ts';
import { writeMetadata } from './metadata.ts';
import { OAuthRefusal, toOAuthAnswer, toRefusalPage } from './oauth-refusal.ts';
import { answerRegistration } from './register.ts';
import { readTokenAnswer } from './token-answer.ts';
import { toEntraForm } from './token-request.ts';

/** What {@link McpFacade} works with. */
export interface McpFacadeOptions {
  readonly servers: readonly FacadeServer[];
  /** The client ids, in lower case, that may ask. */
  readonly clients: readonly string[];
  /** The client id that registrations are answered with; `undefined` where there are none. */
  readonly sharedClientId: string | undefined;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly rateLimit: RateLimitRules;
  /** The networks whose X-Forwarded-For counts; absent when there are none. */
  readonly trustedProxies: Networks | undefined;
  readonly http: EntraHttpClient;
  readonly bodyMemory: BodyMemory;
  readonly now: Clock;
  readonly monotonicMs: Clock;
}

/** One request to a façade. */
interface FacadeRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  readonly record: RequestRecord;
}

/** One address of a façade. */
interface Endpoint {
  /** What the log and the metrics call it. */
  readonly operation: string;
  readonly method: 'GET' | 'POST';
  /** Turns a failure into what the endpoint answers. */
  readonly writeRefusal: (failure: GatewayError) => ErrorAnswer;
  readonly answer: (request: FacadeRequest) => FacadeAnswer | Promise<FacadeAnswer>;
}

interface FacadeAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** JSON text; empty for a redirect. */
  readonly body: string;
}

/**
 * By which methods an endpoint is asked: HEAD goes wherever GET does (RFC 9110 §9.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.1
 */
const METHODS: Readonly<Record<Endpoint['method'], readonly string[]>> = { GET: ['GET', 'HEAD'], POST: ['POST'] };

const NO_STORE = ['cache-control', 'no-store'] as const;
const JSON_TYPE = ['content-type', 'application/json'] as const;

/**
 * The authorization façade of the MCP servers: what their clients take for the authorization server. It translates between
 * what these clients send and what Entra takes, in both directions, and decides nothing that Entra decides: it issues no
 * code and no token, keeps nothing between two requests, and has no secret.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
export class McpFacade {
  /** The CORS headers of every answer, also of refusals: names and values in turn. No credential is involved, so `*`. */
  readonly answerHeaders: readonly string[] = ANSWER_HEADERS;
  readonly #options: McpFacadeOptions;
  readonly #clients: ReadonlySet<string>;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #limit: RateLimit;

  constructor(options: McpFacadeOptions) {
    this.#options = options;
    this.#clients = new Set(options.clients);
    this.#limit = new RateLimit(options.rateLimit, options.monotonicMs);
    this.#endpoints = new Map(options.servers.flatMap((server) => this.#openEndpoints(server)));
  }

  /** True for the paths of a façade. They are compared as they were sent. */
  serves(path: string): boolean {
    return this.#endpoints.has(path);
  }

  /** The issuer of the façade of a server, by its path; `undefined` where people do not connect to it. */
  issuerOf(path: string): string | undefined {
    return this.#options.servers.find((server) => server.path === path)?.resource;
  }

  /** Turns a failure at one of the paths into what clients or people read there; `undefined` for other paths. */
  writeRefusal(path: string, failure: GatewayError): ErrorAnswer | undefined {
    return this.#endpoints.get(path)?.writeRefusal(failure);
  }

  /**
   * Answers a request at one of the paths.
   *
   * @param ownHeaders the headers of every answer of ours: names and values in turn
   * @throws {GatewayError} every refusal
   * @throws {CallerGone} when the client closes the connection before the end of its request
   */
  async answer(request: FacadeRequest, ownHeaders: readonly string[]): Promise<void> {
    const { req, res, target, record } = request;
    const endpoint = this.#endpoints.get(target.path) as Endpoint;
    record.operation = endpoint.operation;
    if (req.method === 'OPTIONS') {
      res.writeHead(204, [...ownHeaders, ...preflightHeaders(endpoint.method)]).end();
      return;
    }
    const methods = METHODS[endpoint.method];
    if (!methods.includes(req.method ?? '')) {
      throw new GatewayError('method_not_allowed', { allow: [...methods, 'OPTIONS'] });
    }
    const { status, headers, body } = await endpoint.answer(request);
    res.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body)), ...ownHeaders]);
    res.end(body);
  }

  #openEndpoints(server: FacadeServer): readonly (readonly [path: string, endpoint: Endpoint])[] {
    const { path } = server;
    const { sharedClientId } = this.#options;
    const name = (what: string): string => `mcp-facade ${path} ${what}`;
    const metadata = writeMetadata(server, sharedClientId !== undefined);
    const asJson = { method: 'POST', writeRefusal: toOAuthAnswer } as const;
    return [
      [
        wellKnownPath('authorizationServer', new URL(server.resource)),
        {
          operation: name('metadata'),
          method: 'GET',
          writeRefusal: toOAuthAnswer,
          answer: () => ({ status: 200, headers: JSON_TYPE, body: metadata }),
        },
      ],
      [
        `${path}${FACADE_PATHS.authorize}`,
        {
          operation: name('authorize'),
          method: 'GET',
          writeRefusal: toRefusalPage,
          answer: (request) => this.#authorize(server, request),
        },
      ],
      [
        `${path}${FACADE_PATHS.token}`,
        { ...asJson, operation: name('token'), answer: (request) => this.#giveToken(server, request) },
      ],
      ...(sharedClientId === undefined
        ? []
        : [
            [
              `${path}${FACADE_PATHS.register}`,
              { ...asJson, operation: name('register'), answer: (request) => this.#register(sharedClientId, request) },
            ] as [string, Endpoint],
          ]),
    ];
  }

  #authorize(server: FacadeServer, { req, target }: FacadeRequest): FacadeAnswer {
    countRequest(req, this.#limit, this.#options.trustedProxies);
    const query = toEntraQuery(server, parseForm(target.query.slice(1), 'query'), this.#clients);
    const location = `${this.#options.authorizationEndpoint}?${query.toString()}`;
    return { status: 302, headers: ['location', location, ...NO_STORE], body: '' };
  }

  async #giveToken(server: FacadeServer, { req, res, target, record }: FacadeRequest): Promise<FacadeAnswer> {
    countRequest(req, this.#limit, this.#options.trustedProxies);
    refuseQuery(target);
    if (req.headers.authorization !== undefined) {
      throw new OAuthRefusal('invalid_client', 'Send no Authorization header: clients are public clients here.');
    }
    const { http, bodyMemory, tokenEndpoint, now } = this.#options;
    const form = toEntraForm(server, await receiveForm(req, res, bodyMemory), this.#clients);
    record.correlationId = randomUUID();
    const headers = { 'client-request-id': record.correlationId, ...takeOrigin(req) };
    const response = await postForm(http, { url: tokenEndpoint, headers, encodedForm: form.toString() }, now);
    const body = JSON.stringify(readTokenAnswer(response, now()));
    return { status: 200, headers: [...JSON_TYPE, ...NO_STORE], body };
  }

  async #register(clientId: string, { req, res, target }: FacadeRequest): Promise<FacadeAnswer> {
    countRequest(req, this.#limit, this.#options.trustedProxies);
    refuseQuery(target);
    const metadata = await receiveSmallBody(req, res, this.#options.bodyMemory);
    const body = JSON.stringify(answerRegistration(metadata.toString('utf8'), clientId));
    return { status: 201, headers: [...JSON_TYPE, ...NO_STORE], body };
  }
}

function refuseQuery({ query }: RequestTarget): void {
  if (query !== '') {
    throw new OAuthRefusal('invalid_request', 'Send the request without a query.');
  }
}

const ORIGIN = /^[\x21-\x7e]{1,255}$/;

/** The origin of a page, without which Entra gives single-page applications no token, and with which it gives others none. */
function takeOrigin({ headers: { origin } }: IncomingMessage): Readonly<Record<string, string>> {
  return origin !== undefined && ORIGIN.test(origin) ? { origin } : {};
}

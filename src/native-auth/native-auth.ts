import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Networks } from '../network/networks.ts';
import type { BodyMemory } from '../request/body-memory.ts';
import type { EntraHttpClient } from '../entra/http-client.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import type { RequestTarget } from '../request/receive.ts';
import { countRequest, RateLimit, type RateLimitRules } from '../request/rate-limit.ts';
import { receiveForm } from '../request/receive-form.ts';
import { GUID } from '../syntax/http-syntax.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { askEntra } from './ask-entra.ts';
import { checkForm } from './check-form.ts';
import { NativeAuthCors } from './cors.ts';
import { ENDPOINTS } from './endpoints.ts';

/** What {@link NativeAuth} works with. */
export interface NativeAuthOptions {
  /** The prefix of native authentication's paths on the port of the API, such as `/native-auth`. */
  readonly path: string;
  /** The tenant's address at Entra, which the paths of the endpoints are appended to. */
  readonly tenantUrl: string;
  /** The origins of the pages that may use it. */
  readonly origins: readonly string[];
  /** The client ids of the apps that may use it, in lower case. */
  readonly clients: readonly string[];
  readonly rateLimit: RateLimitRules;
  /** The networks whose X-Forwarded-For counts; absent when there are none. */
  readonly trustedProxies: Networks | undefined;
  readonly http: EntraHttpClient;
  readonly bodyMemory: BodyMemory;
  readonly now: Clock;
  readonly monotonicMs: Clock;
}

/** One request to native authentication. */
interface NativeAuthRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  readonly record: RequestRecord;
}

/** The query of a request that renews a token: MSAL sends the correlation id here, and otherwise in a header. */
const CORRELATION_QUERY = /^\?client-request-id=([^&]*)$/;

/**
 * The proxy between pages and Entra's native authentication API, which sends no CORS headers of its own. It is a door
 * beside the journey: it verifies no token and keeps none.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-native-authentication-api
 */
export class NativeAuth {
  /** The CORS headers of every answer below the prefix, also of refusals. */
  readonly cors: NativeAuthCors;
  readonly #options: NativeAuthOptions;
  readonly #clients: ReadonlySet<string>;
  readonly #limit: RateLimit;

  constructor(options: NativeAuthOptions) {
    this.cors = new NativeAuthCors(options.origins);
    this.#options = options;
    this.#clients = new Set(options.clients);
    this.#limit = new RateLimit(options.rateLimit, options.monotonicMs);
  }

  /** True for every path below the prefix, also for one that does not exist. */
  serves(path: string): boolean {
    const { path: prefix } = this.#options;
    return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
  }

  /**
   * Answers a request below the prefix.
   *
   * @param ownHeaders the headers of every answer of ours: names and values in turn
   * @throws {GatewayError} for every refusal
   * @throws {CallerGone} when the caller closes the connection before the end of its form
   */
  async answer(request: NativeAuthRequest, ownHeaders: readonly string[]): Promise<void> {
    const { req, res, target, record } = request;
    const endpoint = this.#match(target.path);
    record.operation = `native-auth ${endpoint}`;
    refuseMethod(req);
    this.#refuseOrigin(req);
    if (req.method === 'OPTIONS') {
      res.writeHead(204, [...ownHeaders, ...this.cors.preflightHeaders]).end();
      return;
    }
    const correlationId = readCorrelationId(req, target);
    const { http, bodyMemory, tenantUrl, trustedProxies, now } = this.#options;
    countRequest(req, this.#limit, trustedProxies);
    const form = await receiveForm(req, res, bodyMemory);
    checkForm(endpoint, form, this.#clients);
    const formRequest = { url: `${tenantUrl}${endpoint}`, encodedForm: form.encoded, correlationId };
    if (correlationId !== undefined) {
      record.correlationId = correlationId;
    }
    const { status, json, headers } = await askEntra(http, req, formRequest, now);
    res.writeHead(status, [
      'content-type',
      'application/json; charset=utf-8',
      'content-length',
      String(Buffer.byteLength(json)),
      'cache-control',
      'no-store',
      ...headers,
      ...ownHeaders,
    ]);
    res.end(json);
  }

  /** Finds the endpoint of a path. It compares the path as it was sent, so that Entra cannot read it in another way. */
  #match(path: string): string {
    const endpoint = ENDPOINTS.find((known) => path === `${this.#options.path}${known}`);
    if (endpoint === undefined) {
      throw new GatewayError('not_found', { detail: 'Native authentication has no such path.' });
    }
    return endpoint;
  }

  #refuseOrigin({ headers }: IncomingMessage): void {
    if (!this.cors.allows(headers.origin)) {
      throw new GatewayError('access_denied', {
        detail: 'Only pages of the origins that the operator of this API has listed may use native authentication.',
        log: { reason: 'the Origin is missing or not in nativeAuth.origins' },
      });
    }
  }
}

function refuseMethod({ method }: IncomingMessage): void {
  if (method !== 'POST' && method !== 'OPTIONS') {
    throw new GatewayError('method_not_allowed', { allow: ['POST', 'OPTIONS'] });
  }
}

/** @throws {GatewayError} `invalid_request` for any other query, because it would change the request to Entra */
function readCorrelationId({ headers }: IncomingMessage, { query }: RequestTarget): string | undefined {
  const inQuery = CORRELATION_QUERY.exec(query)?.[1];
  if (query !== '' && inQuery === undefined) {
    throw new GatewayError('invalid_request', { detail: 'Send the request without a query.' });
  }
  const id = headers['client-request-id'] ?? inQuery;
  return typeof id === 'string' && GUID.test(id) ? id : undefined;
}

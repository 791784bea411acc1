import type { IncomingMessage } from 'node:http';
import type { Networks } from '../network/networks.ts';
import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import { isTrusted, peerAddress } from '../request/client-address.ts';
import { readTarget } from '../request/receive.ts';
import { isReadableMethod, type DescribedCall } from './described-call.ts';
import { findEndpoint, type Endpoint } from './endpoints.ts';
import { readRejectionReport, REPORT_HEADERS, type RejectionReport } from './rejection-report.ts';

/** What an engine asks about a call of its client. */
export interface Question {
  readonly endpoint: Endpoint;
  /** The call as the engine describes it. */
  readonly call: DescribedCall;
  /** The call in the place of the request that describes it, so that every step sees what the client sent. */
  readonly request: InboundRequest;
  /** What the downstream said to the call; `undefined` for one that was not made yet. */
  readonly report: RejectionReport | undefined;
}

/**
 * Reads what an engine asks.
 *
 * @throws {GatewayError} `not_found` for a path that is no endpoint, and `call_not_described`
 */
export function readQuestion(arrived: InboundRequest): Question {
  const { req, target } = arrived;
  const endpoint = findEndpoint(target.path);
  if (endpoint === undefined) {
    throw new GatewayError('not_found');
  }
  const call = endpoint.describe(req);
  const report = readRejectionReport(req);
  return { endpoint, call, request: putInPlace(arrived, call, endpoint.headers), report };
}

/**
 * Refuses whoever is no engine, because what is handed out here are tokens.
 *
 * @param callers the networks of the engines, and of the applications that ask for tokens
 * @throws {GatewayError} `access_denied`
 */
export function refuseForeignCaller(req: IncomingMessage, callers: Networks): void {
  if (!isTrusted(peerAddress(req), callers)) {
    throw new GatewayError('access_denied', {
      log: {
        reason: `${peerAddress(req)} is not in authorizationService.callers`,
        remedy: 'Add the address of the engine there; nobody else should reach this port.',
      },
    });
  }
}

function putInPlace(
  arrived: InboundRequest,
  { method, target }: DescribedCall,
  headers: ReadonlySet<string>,
): InboundRequest {
  const { req } = arrived;
  // Node ends the connection of a request whose method becomes `PRI`, as if it spoke HTTP/2.
  if (isReadableMethod(method)) {
    req.method = method;
  }
  const { path, query } = readTarget(target);
  // As the proxy has it, whose limits do not count what stands before the path in the absolute form.
  req.url = path + query;
  // What the engine added must not count as if the client had sent it: its head may be as long as at the proxy.
  req.rawHeaders = withoutHeaders(req.rawHeaders, headers);
  return { ...arrived, target: { path, query }, instance: path };
}

function withoutHeaders(rawHeaders: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    const lower = name.toLowerCase();
    if (!names.has(lower) && !REPORT_HEADERS.has(lower)) {
      kept.push(name, value);
    }
  }
  return kept;
}

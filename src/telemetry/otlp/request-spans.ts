import type { IncomingMessage } from 'node:http';
import type { Networks } from '../../network/networks.ts';
import { findClientAddress } from '../../request/client-address.ts';
import { readTarget } from '../../request/receive.ts';
import type { RequestRecord } from '../request-record.ts';
import type { SpanAttributes } from './attributes.ts';
import type { RequestTrace, SampledTrace } from './request-trace.ts';
import type { Tracing } from './tracing.ts';

/** What the spans of requests are described with. */
export interface RequestSpanOptions {
  readonly tracing: Tracing;
  /** How clients reach the gateway; `undefined` where nobody says it. */
  readonly publicUrl: URL | undefined;
  /** Networks whose `X-Forwarded-For` is believed; `undefined` for none. */
  readonly trustedProxies: Networks | undefined;
}

/** The span of each request, by the semantic conventions for HTTP servers. */
export interface RequestSpans {
  /** Begins the trace of a request, with its span where it is sampled, and writes it into the record. */
  begin(req: IncomingMessage, record: RequestRecord): RequestTrace;
  /** Ends the span of a request that is over; one that was refused before its trace began gets it now. */
  end(req: IncomingMessage, record: RequestRecord): void;
}

const MAX_URL_CHARACTERS = 500;
const MAX_USER_AGENT_CHARACTERS = 200;

/** The methods that the conventions know. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

/** The status in a record when the caller left before any was sent. */
const CALLER_GONE = 499;

/** Makes the spans of requests. */
export function createRequestSpans(options: RequestSpanOptions): RequestSpans {
  const { tracing, publicUrl, trustedProxies } = options;
  const server: SpanAttributes =
    publicUrl === undefined
      ? {}
      : {
          'url.scheme': publicUrl.protocol.slice(0, -1),
          'server.address': publicUrl.hostname,
          'server.port': portOf(publicUrl),
        };
  return { begin, end };

  function begin({ headers }: IncomingMessage, record: RequestRecord): RequestTrace {
    const trace = tracing.begin(headers, record.startedAt);
    record.trace = trace;
    return trace;
  }

  function end(req: IncomingMessage, record: RequestRecord): void {
    const trace = record.trace ?? begin(req, record);
    if (!trace.isSampled) {
      return;
    }
    const { span, route } = trace;
    const method = METHODS.has(req.method ?? '') ? String(req.method) : '_OTHER';
    span.updateName(route === undefined ? toName(method) : `${toName(method)} ${route}`);
    tracing.describe(span, {
      ...server,
      'http.request.method': method,
      'url.path': readTarget(req.url ?? '').path.slice(0, MAX_URL_CHARACTERS),
      'client.address': findClientAddress(req, trustedProxies),
      ...describeRecord(req, record),
      ...(route !== undefined && { 'http.route': route }),
    });
    describeEnd(record, trace, tracing);
    span.end(trace.at(performance.now()));
  }
}

/** An unusual method would make as many names as callers think of. */
function toName(method: string): string {
  return method === '_OTHER' ? 'HTTP' : method;
}

function describeRecord({ headers }: IncomingMessage, record: RequestRecord): SpanAttributes {
  const agent = headers['user-agent'];
  return {
    'gateway.request_id': record.requestId,
    ...(agent !== undefined && { 'user_agent.original': agent.slice(0, MAX_USER_AGENT_CHARACTERS) }),
    ...(record.operation !== undefined && { 'gateway.operation': record.operation }),
    ...(record.downstream !== undefined && { 'gateway.downstream': record.downstream }),
    ...(record.callerGone === true && { 'gateway.caller_gone': true }),
  };
}

/** A refusal is no fault of the gateway: by the conventions only a status of 5xx makes the span one of an error. */
function describeEnd({ status = 0, error }: RequestRecord, { span }: SampledTrace, tracing: Tracing): void {
  if (status !== 0 && status !== CALLER_GONE) {
    tracing.describe(span, { 'http.response.status_code': status });
  }
  if (error !== undefined) {
    tracing.setFailure(span, error);
  } else if (status >= 500) {
    tracing.setError(span, String(status), true);
  }
}

/** The port of an address, also where it is the usual one. */
export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** Cuts an address for an attribute. */
export function cutUrl(url: string): string {
  return url.slice(0, MAX_URL_CHARACTERS);
}

import type { Span } from '@opentelemetry/api';
import { GatewayError } from './failures.ts';
import type { InboundRequest } from './inbound-request.ts';
import type { Call, SecondExchange, Steps } from './journey.ts';
import type { DownstreamToken, FetchedToken } from './session/downstream-token.ts';
import type { SpanAttributes } from './telemetry/otlp/attributes.ts';
import { cutUrl, portOf, type RequestSpans } from './telemetry/otlp/request-spans.ts';
import type { SampledTrace } from './telemetry/otlp/request-trace.ts';
import type { Tracing } from './telemetry/otlp/tracing.ts';

/** What the steps are traced with. */
export interface StepTracing {
  readonly tracing: Tracing;
  readonly requests: RequestSpans;
  /** The base addresses of the downstreams by their names. */
  readonly baseUrls: ReadonlyMap<string, URL>;
}

/** The first status of a downstream's answer that the conventions call an error of the call. */
const FIRST_ERROR = 400;

/**
 * Makes steps that do the same and are traced: each request gets a span, and in a sampled one `authenticate`,
 * `exchange` and `forward` get spans below it. The downstream gets the span of its call as `traceparent`. A request that
 * is not sampled costs no more than its ids.
 */
export function traceSteps(steps: Steps, { tracing, requests, baseUrls }: StepTracing): Steps {
  return {
    ...steps,

    match(request) {
      // An application can ask for the same request more than once.
      const trace = request.record.trace ?? requests.begin(request.req, request.record);
      const route = steps.match(request);
      if (trace.isSampled) {
        trace.route = route.entry.path;
      }
      return route;
    },

    authenticate(request, operation) {
      const trace = sampledTraceOf(request);
      if (trace === undefined) {
        return steps.authenticate(request, operation);
      }
      const span = tracing.startStep(trace, 'authenticate');
      return follow(() => steps.authenticate(request, operation), {
        done: () => tracing.endStep(trace, span),
        failed: (error) => endFailed(trace, span, error),
      });
    },

    exchange(request, session, operation, again) {
      const trace = session === undefined ? undefined : sampledTraceOf(request);
      return trace === undefined
        ? steps.exchange(request, session, operation, again)
        : traceExchange(trace, operation.service, again, () => steps.exchange(request, session, operation, again));
    },

    forward(request, call, token) {
      const { trace } = request.record;
      if (trace === undefined) {
        return steps.forward(request, call, token);
      }
      return trace.isSampled
        ? traceForward(trace, call, (traced) => steps.forward(request, traced, token))
        : steps.forward(request, { ...call, traceContext: trace.headers }, token);
    },
  };

  async function traceForward(
    trace: SampledTrace,
    call: Call,
    forward: (call: Call) => ReturnType<Steps['forward']>,
  ): ReturnType<Steps['forward']> {
    const span = tracing.startStep(trace, 'forward', { isCall: true, attributes: describeCall(call, trace.sends) });
    trace.sends += 1;
    try {
      const answer = await forward({ ...call, traceContext: tracing.contextOf(span) });
      tracing.describe(span, { 'http.response.status_code': answer.status });
      if (answer.status >= FIRST_ERROR) {
        tracing.setError(span, String(answer.status), true);
      }
      return answer;
    } catch (error) {
      tracing.setFailure(span, error);
      throw error;
    } finally {
      tracing.endStep(trace, span);
    }
  }

  function describeCall({ route: { entry, encoded }, own }: Call, sends: number): SpanAttributes {
    const base = baseUrls.get(entry.service);
    return {
      'gateway.downstream': entry.service,
      'http.request.method': own?.method ?? entry.downstreamMethod,
      ...(own === undefined && { 'url.template': entry.downstreamPath }),
      ...(base !== undefined && describeAddress(base, own?.path ?? entry.fillPath(encoded))),
      ...(sends > 0 && { 'http.request.resend_count': sends }),
    };
  }

  function traceExchange(
    trace: SampledTrace,
    downstream: string,
    again: SecondExchange | undefined,
    exchange: () => ReturnType<Steps['exchange']>,
  ): ReturnType<Steps['exchange']> {
    const startedAt = performance.now();
    const asked: SpanAttributes = {
      'gateway.downstream': downstream,
      ...(again?.claims !== undefined && { 'gateway.exchange.claims': true }),
    };
    let span: Span | undefined;
    // Only one that has to wait is a call to another server, and that shows when it waits.
    const begin = (isCall: boolean): Span => {
      span ??= tracing.startStep(trace, 'exchange', { isCall, attributes: asked, startedAt });
      return span;
    };
    return follow(() => tracing.runExchange(trace, () => begin(true), exchange), {
      waits: () => begin(true),
      done(found) {
        const ended = begin(false);
        tracing.describe(ended, describeToken(found));
        tracing.endStep(trace, ended);
      },
      failed(error) {
        const ended = begin(false);
        tracing.describe(ended, describeRefusal(error));
        endFailed(trace, ended, error);
      },
    });
  }

  function endFailed(trace: SampledTrace, span: Span, error: unknown): void {
    tracing.setFailure(span, error);
    tracing.endStep(trace, span);
  }
}

function sampledTraceOf({ record }: InboundRequest): SampledTrace | undefined {
  return record.trace?.isSampled === true ? record.trace : undefined;
}

/** What happens around a step. */
interface Follower<T> {
  /** Called when the step has to wait; default nothing. */
  readonly waits?: () => void;
  readonly done: (value: T) => void;
  readonly failed: (error: unknown) => void;
}

/** Runs a step that may have to wait, and tells how it ended; its value or error stays what it is. */
function follow<T>(run: () => T, { waits, done, failed }: Follower<Awaited<T>>): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    failed(error);
    throw error;
  }
  if (result instanceof Promise) {
    waits?.();
    return result.then(
      (value: Awaited<T>) => {
        done(value);
        return value;
      },
      (error: unknown) => {
        failed(error);
        throw error;
      },
    ) as T;
  }
  done(result as Awaited<T>);
  return result;
}

function describeToken(found: DownstreamToken | FetchedToken | undefined): SpanAttributes {
  if (found === undefined || !('from' in found)) {
    return { 'gateway.token.source': 'session', 'gateway.exchange.outcome': 'token' };
  }
  return {
    'gateway.token.source': found.from,
    'gateway.exchange.outcome': 'token',
    ...(found.correlationId !== undefined && { 'entra.client_request_id': found.correlationId }),
  };
}

/** The class of a refusal and the id of its exchange, from what the log says of them. */
function describeRefusal(error: unknown): SpanAttributes {
  const { correlationId, entra } = (error instanceof GatewayError ? error.facts.log : undefined) ?? {};
  const refusalClass = (entra as { readonly class?: unknown } | undefined)?.class;
  return {
    ...(typeof refusalClass === 'string' && { 'gateway.exchange.outcome': refusalClass }),
    ...(typeof correlationId === 'string' && { 'entra.client_request_id': correlationId }),
  };
}

function describeAddress(base: URL, path: string): SpanAttributes {
  return {
    'server.address': base.hostname,
    'server.port': portOf(base),
    'url.full': cutUrl(`${base.origin}${base.pathname.replace(/\/$/, '')}${path}`),
  };
}

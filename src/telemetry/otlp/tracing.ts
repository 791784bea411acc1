import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceParent, TraceState } from '@opentelemetry/core';
import { SamplingDecision, type Sampler } from '@opentelemetry/sdk-trace';
import { GatewayError } from '../../failures.ts';
import type { SpanAttributes } from './attributes.ts';
import { contextHeaders, SampledTrace, UnsampledTrace, type RequestTrace } from './request-trace.ts';
import type { TraceIds } from './trace-ids.ts';

/** What spans are made with. */
export interface TracingOptions {
  /** Has the sampler and the ids below as well. */
  readonly tracer: Tracer;
  readonly sampler: Sampler;
  readonly ids: TraceIds;
}

/** How a span of a step begins. */
export interface StepStart {
  /** True for a step that asks another server. */
  readonly isCall?: boolean;
  readonly attributes?: SpanAttributes;
  /** From `performance.now()`; default now. */
  readonly startedAt?: number;
}

/** An exchange under way, below which the commands to Redis stand. */
interface RunningExchange {
  readonly trace: SampledTrace;
  /** Begins when the first command ends; it starts with the exchange all the same. */
  readonly begin: () => Span;
  /** False as soon as the request does not wait for the exchange any more. */
  isAwaited: boolean;
}

/** From this status on the fault is a server's, and the span of a request says so. */
const SERVER_ERROR = 500;

const REQUEST = 'request';

/** Makes the spans of requests and of their steps. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #sampler: Sampler;
  readonly #ids: TraceIds;
  readonly #exchanges = new AsyncLocalStorage<RunningExchange>();
  /** How many exchanges are waited for. */
  #awaited = 0;

  constructor({ tracer, sampler, ids }: TracingOptions) {
    this.#tracer = tracer;
    this.#sampler = sampler;
    this.#ids = ids;
  }

  /**
   * Begins the trace of a request, or continues the caller's where the caller sent a context.
   *
   * The sampler is asked before there is a span: of a request that is not sampled the ids are all that anybody sees, and
   * OpenTelemetry would make a span and a context for them. For one that is sampled, the tracer takes the same id, asks
   * the same sampler again, and hears the same.
   *
   * @param startedAt from `performance.now()`
   */
  begin({ traceparent, tracestate }: IncomingHttpHeaders, startedAt: number): RequestTrace {
    const context = typeof traceparent === 'string' ? readContext(traceparent, tracestate) : ROOT_CONTEXT;
    const parent = trace.getSpanContext(context);
    const traceId = parent?.traceId ?? this.#ids.nextTraceId;
    // Attributes follow once the request is over: no sampler looks at them.
    const { decision } = this.#sampler.shouldSample(context, traceId, REQUEST, SpanKind.SERVER, {}, []);
    if (decision !== SamplingDecision.RECORD_AND_SAMPLED) {
      return parent === undefined
        ? new UnsampledTrace(this.#ids.takeTraceparent())
        : new UnsampledTrace(`00-${traceId}-${this.#ids.generateSpanId()}-00`, parent.traceState);
    }
    const span = this.#tracer.startSpan(REQUEST, { kind: SpanKind.SERVER, startTime: toEpoch(startedAt) }, context);
    return new SampledTrace(span, context);
  }

  /** Begins the span of a step. */
  startStep(request: SampledTrace, name: string, start: StepStart = {}): Span {
    const { isCall = false, attributes = {}, startedAt = performance.now() } = start;
    const kind = isCall ? SpanKind.CLIENT : SpanKind.INTERNAL;
    return this.#tracer.startSpan(name, { kind, attributes, startTime: request.at(startedAt) }, request.context);
  }

  /** Ends the span of a step. */
  endStep(request: SampledTrace, span: Span): void {
    span.end(request.at(performance.now()));
  }

  /**
   * Runs an exchange, so that the commands to Redis that it waits for get spans below its own.
   *
   * @param begin begins the span of the exchange; called once at most
   */
  runExchange<T>(request: SampledTrace, begin: () => Span, run: () => T): T {
    const running: RunningExchange = { trace: request, begin, isAwaited: true };
    this.#awaited += 1;
    const end = (): void => {
      running.isAwaited = false;
      this.#awaited -= 1;
      if (this.#awaited === 0) {
        // While it is enabled, Node 20 follows every promise of the process, which costs a third of a warm request.
        this.#exchanges.disable();
      }
    };
    let result: T;
    try {
      result = this.#exchanges.run(running, run);
    } catch (error) {
      end();
      throw error;
    }
    if (result instanceof Promise) {
      return result.finally(end) as T;
    }
    // What goes on in the background, such as a refresh, is no part of the request.
    end();
    return result;
  }

  /** Makes the span of a command to Redis that has just ended, if a sampled request waits for it. */
  recordRedis(operation: string, outcome: string, seconds: number): void {
    const running = this.#exchanges.getStore();
    if (running?.isAwaited !== true) {
      return;
    }
    const { trace: request, begin } = running;
    const endedAt = performance.now();
    const context = trace.setSpan(ROOT_CONTEXT, begin());
    const startTime = request.at(endedAt - seconds * 1_000);
    const attributes: SpanAttributes = { 'db.system.name': 'redis', 'db.operation.name': operation };
    const span = this.#tracer.startSpan('redis', { kind: SpanKind.CLIENT, attributes, startTime }, context);
    if (outcome !== 'done') {
      this.setError(span, outcome, true);
    }
    span.end(request.at(endedAt));
  }

  /** The headers with which a downstream continues the trace below a span: names and values in turn. */
  contextOf(span: Span): readonly string[] {
    return contextHeaders(span);
  }

  /** Sets attributes of the table; others do not exist. */
  describe(span: Span, attributes: SpanAttributes): void {
    span.setAttributes(attributes);
  }

  /** Writes a failure on a span: its code, and that it is a fault where it is a server's. */
  setFailure(span: Span, thrown: unknown): void {
    const { code, status } =
      thrown instanceof GatewayError ? { code: thrown.code, status: thrown.rule.status } : UNKNOWN_FAILURE;
    this.setError(span, code, status >= SERVER_ERROR);
  }

  /** Writes the kind of an error on a span. */
  setError(span: Span, type: string, isFault: boolean): void {
    this.describe(span, { 'error.type': type });
    if (isFault) {
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }
}

const UNKNOWN_FAILURE = { code: 'internal_error', status: SERVER_ERROR };

function toEpoch(performanceMs: number): number {
  return Date.now() - performance.now() + performanceMs;
}

/** A `tracestate` without a valid `traceparent` counts for nothing (W3C Trace Context §3.3). */
function readContext(traceparent: string, tracestate: string | readonly string[] | undefined): Context {
  const parent: SpanContext | null = parseTraceParent(traceparent);
  if (parent === null) {
    return ROOT_CONTEXT;
  }
  const traceState = tracestate === undefined ? undefined : new TraceState(String(tracestate));
  return trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true, ...(traceState && { traceState }) });
}

import { trace, type Context, type Span, type TraceState } from '@opentelemetry/api';
import { readIds } from './trace-ids.ts';

/** The part of a trace that one request is. */
export type RequestTrace = SampledTrace | UnsampledTrace;

/** A request whose spans are sent: its own span, and the spans of its steps below it. */
export class SampledTrace {
  readonly isSampled = true;
  readonly traceId: string;
  readonly spanId: string;
  readonly span: Span;
  /** The path template of the operation, once it is found. */
  route: string | undefined;
  /** How often the request was sent to a downstream so far. */
  sends = 0;
  readonly #context: Context;
  /** What to add to a moment of `performance.now()` for milliseconds since the epoch. */
  readonly #originMs = Date.now() - performance.now();

  /** @param context what the span stands in */
  constructor(span: Span, context: Context) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.span = span;
    this.#context = context;
  }

  /** The context for spans below that of the request. */
  get context(): Context {
    return trace.setSpan(this.#context, this.span);
  }

  /**
   * Turns a moment of `performance.now()` into one of the trace, so that all spans of a request have one clock.
   *
   * @returns milliseconds since the epoch
   */
  at(performanceMs: number): number {
    return this.#originMs + performanceMs;
  }
}

/** A request whose spans nobody keeps: it makes none, and only its ids go on, to the downstream and into the log. */
export class UnsampledTrace {
  readonly isSampled = false;
  readonly traceId: string;
  readonly spanId: string;
  /** Names and values in turn: the context that a downstream gets. */
  readonly headers: readonly string[];

  /** @param traceparent of the span that the request would have */
  constructor(traceparent: string, traceState?: TraceState) {
    const { traceId, spanId } = readIds(traceparent);
    this.traceId = traceId;
    this.spanId = spanId;
    this.headers = withState(traceparent, traceState);
  }
}

/**
 * Writes the context of a sampled span as the headers `traceparent` and `tracestate`.
 *
 * @returns names and values in turn
 * @see https://www.w3.org/TR/trace-context/
 */
export function contextHeaders(span: Span): readonly string[] {
  const { traceId, spanId, traceState } = span.spanContext();
  return withState(`00-${traceId}-${spanId}-01`, traceState);
}

function withState(traceparent: string, traceState: TraceState | undefined): readonly string[] {
  const state = traceState?.serialize() ?? '';
  return state === '' ? ['traceparent', traceparent] : ['traceparent', traceparent, 'tracestate', state];
}

import { trace, TraceFlags, type Context, type Span } from '@opentelemetry/api';

/** The part of a trace that one request is: its own span, and the spans of its steps below it. */
export class RequestTrace {
  readonly traceId: string;
  readonly spanId: string;
  /** False for a request whose spans nobody keeps; its ids still go on to the downstream. */
  readonly isSampled: boolean;
  readonly span: Span;
  /** Names and values in turn: the context that a downstream gets from a request without a span for the call. */
  readonly headers: readonly string[];
  /** The path template of the operation, once it is found. */
  route: string | undefined;
  /** How often the request was sent to a downstream so far. */
  sends = 0;
  readonly #context: Context;
  /** What to add to a moment of `performance.now()` for milliseconds since the epoch. */
  readonly #originMs = Date.now() - performance.now();

  /** @param context what the span stands in */
  constructor(span: Span, context: Context) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    this.span = span;
    this.#context = context;
    this.headers = contextHeaders(span);
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

/**
 * Writes a span as the headers `traceparent` and `tracestate`.
 *
 * @returns names and values in turn
 * @see https://www.w3.org/TR/trace-context/
 */
export function contextHeaders(span: Span): readonly string[] {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  const traceparent = `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
  const state = traceState?.serialize() ?? '';
  return state === '' ? ['traceparent', traceparent] : ['traceparent', traceparent, 'tracestate', state];
}

import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { RandomTexts } from '../../syntax/random-texts.ts';

/** A `traceparent` without the flag of sampling (W3C Trace Context §3.2). */
const FORM = `00-${'x'.repeat(32)}-${'x'.repeat(16)}-00`;

/**
 * Makes the ids of traces and spans, those of a request that is not sampled as pieces of a `traceparent` that is ready to be
 * sent.
 *
 * None is checked for being all zeros, which would be no id: of 64 random bits that does not happen.
 */
export class TraceIds implements IdGenerator {
  readonly #texts = new RandomTexts(FORM);
  #next = this.#texts.next();

  /** The id that the next trace gets, so that it can be asked before whether that trace is sampled. */
  get nextTraceId(): string {
    return readIds(this.#next).traceId;
  }

  /** Begins a trace that is not sampled: gives {@link nextTraceId} away, with the id of a span, as a `traceparent`. */
  takeTraceparent(): string {
    const taken = this.#next;
    this.#next = this.#texts.next();
    return taken;
  }

  /** Gives {@link nextTraceId} away. */
  generateTraceId(): string {
    return copy(readIds(this.takeTraceparent()).traceId);
  }

  generateSpanId(): string {
    return copy(readIds(this.#texts.next()).spanId);
  }
}

/** The ids of spans are kept until these are sent, and those of exemplars for longer: a piece would keep its whole batch. */
function copy(id: string): string {
  return Buffer.from(id, 'latin1').toString('latin1');
}

/** Reads the ids of a `traceparent` that is our own, and so of the form above. */
export function readIds(traceparent: string): { readonly traceId: string; readonly spanId: string } {
  return { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };
}

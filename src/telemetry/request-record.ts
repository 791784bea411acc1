import type { GatewayError } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import type { RequestTrace } from './otlp/request-trace.ts';

/**
 * What the log and the metrics say of one request. Each part writes down what it learns and nobody reads that before the
 * request is over, so that nothing is decided by it. Nothing in it is a secret.
 *
 * It is a class so that it has all members from the start: an object that gets them one after the other changes its shape
 * with each.
 */
export class RequestRecord {
  readonly requestId: string;
  /** By the clock of `performance.now()`. */
  readonly startedAt: number;
  /**
   * How the call was met where it was not forwarded: an engine that carries it asked about it, or an application answered
   * it itself.
   */
  via: 'check' | 'application' | undefined;
  /** True where each call to a downstream was counted by itself, because there can be several. */
  areCallsCounted: boolean | undefined;
  /** True for a refusal that is asked for once more, because the log and the metrics have it already. */
  isRepeated: boolean | undefined;
  operation: string | undefined;
  /** The tool of an MCP server that was called, where the contract has rules for it. */
  tool: string | undefined;
  principal: Principal | undefined;
  downstream: string | undefined;
  /** Where the downstream token came from. */
  tokenFrom: 'session' | 'redis' | 'entra' | undefined;
  /**
   * The `client-request-id` of the exchange at Entra that was made for it or that it waited for; or that of
   * the request itself, where native authentication sent it on.
   */
  correlationId: string | undefined;
  /** Milliseconds. */
  exchangeMs: number | undefined;
  /** Milliseconds until the head of the downstream's answer. */
  downstreamMs: number | undefined;
  /** Milliseconds from its head to the end of its answer. */
  durationMs: number | undefined;
  /** Of the answer; 499 when the caller left before there was one. */
  status: number | undefined;
  error: GatewayError | undefined;
  /** Its part of a trace; `undefined` unless traces are sent. */
  trace: RequestTrace | undefined;
  /** True when the caller left before the answer was complete. */
  callerGone: boolean | undefined;

  /** @param startedAt by the clock of `performance.now()`; default now */
  constructor(requestId: string, startedAt = performance.now()) {
    this.requestId = requestId;
    this.startedAt = startedAt;
  }
}

/** Milliseconds since a moment of `performance.now()`, to a tenth. */
export function since(start: number): number {
  return Math.round((performance.now() - start) * 10) / 10;
}

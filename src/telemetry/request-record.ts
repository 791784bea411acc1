import type { GatewayError } from '../failures.ts';
import type { Principal } from '../session/principal.ts';
import type { RequestTrace } from './otlp/request-trace.ts';

/**
 * What the log and the metrics say of one request. Each part writes down what it learns and nobody reads that before the
 * request is over, so that nothing is decided by it. Nothing in it is a secret.
 */
export interface RequestRecord {
  readonly requestId: string;
  /** From `performance.now()`. */
  readonly startedAt: number;
  /**
   * How the call was met where it was not forwarded: an engine that carries it asked about it, or an application answered
   * it itself.
   */
  via?: 'check' | 'application';
  /** True where each call to a downstream was counted by itself, because there can be several. */
  areCallsCounted?: boolean;
  /** True for a refusal that is asked for once more, because the log and the metrics have it already. */
  isRepeated?: boolean;
  operation?: string;
  /** The tool of an MCP server that was called, where the contract has rules for it. */
  tool?: string;
  principal?: Principal;
  downstream?: string;
  /** Where the downstream token came from. */
  tokenFrom?: 'session' | 'redis' | 'entra';
  /**
   * The `client-request-id` of the exchange at Entra that was made for it or that it waited for; or that of
   * the request itself, where native authentication sent it on.
   */
  correlationId?: string;
  /** Milliseconds. */
  exchangeMs?: number;
  /** Milliseconds until the head of the downstream's answer. */
  downstreamMs?: number;
  /** Of the answer; 499 when the caller left before there was one. */
  status?: number;
  error?: GatewayError;
  /** Its part of a trace; absent unless traces are sent. */
  trace?: RequestTrace;
  /** True when the caller left before the answer was complete. */
  callerGone?: boolean;
}

/** Milliseconds since a moment of `performance.now()`, to a tenth. */
export function since(start: number): number {
  return Math.round((performance.now() - start) * 10) / 10;
}

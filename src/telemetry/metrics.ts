import type { IncomingMessage } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { codeOf, type Failure } from '../failures.ts';
import type { RequestRecord } from './request-record.ts';

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']);

/** The values of all metrics of one process at one moment, as plain data. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** The metrics of one process. Labels come from the configuration, the contract and our tables, never from a caller. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'gateway_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['operation', 'method', 'status'],
    registers: [this.#registry],
  });
  readonly #requestSeconds = new Histogram({
    name: 'gateway_http_request_duration_seconds',
    help: 'From the head of the request to the end of the answer.',
    labelNames: ['operation'],
    registers: [this.#registry],
  });
  readonly #downstreamSeconds = new Histogram({
    name: 'gateway_downstream_request_duration_seconds',
    help: 'Until the head of the downstream’s answer.',
    labelNames: ['downstream'],
    registers: [this.#registry],
  });
  readonly #exchanges = new Counter({
    name: 'gateway_exchanges_total',
    help: 'Token requests to Entra; the outcome is "token" or the class of the refusal.',
    labelNames: ['downstream', 'outcome'],
    registers: [this.#registry],
  });
  readonly #exchangeSeconds = new Histogram({
    name: 'gateway_exchange_duration_seconds',
    help: 'Time of a token request to Entra.',
    registers: [this.#registry],
  });
  readonly #tokenCache = new Counter({
    name: 'gateway_token_cache_total',
    help: 'Look-ups of downstream tokens.',
    labelNames: ['level', 'outcome'],
    registers: [this.#registry],
  });
  readonly #problems = new Counter({
    name: 'gateway_problems_total',
    help: 'Problem documents sent, by code.',
    labelNames: ['code'],
    registers: [this.#registry],
  });

  /** @param countSessions how many sessions there are now */
  constructor(countSessions: () => number) {
    collectDefaultMetrics({ register: this.#registry });
    const sessions: Gauge = new Gauge({
      name: 'gateway_sessions',
      help: 'Callers that are remembered.',
      registers: [this.#registry],
      collect: () => sessions.set(countSessions()),
    });
  }

  /** Counts one request, once it is over. */
  recordRequest(req: IncomingMessage, record: RequestRecord): void {
    const operation = record.operation ?? 'none';
    const method = METHODS.has(req.method ?? '') ? String(req.method) : 'other';
    this.#requests.inc({ operation, method, status: record.status ?? 0 });
    this.#requestSeconds.observe({ operation }, (performance.now() - record.startedAt) / 1_000);
    if (record.downstream !== undefined && record.downstreamMs !== undefined) {
      this.#downstreamSeconds.observe({ downstream: record.downstream }, record.downstreamMs / 1_000);
    }
    if (record.tokenFrom !== undefined) {
      this.#tokenCache.inc({ level: 'memory', outcome: record.tokenFrom === 'session' ? 'hit' : 'miss' });
    }
    if (record.failure !== undefined) {
      this.recordProblem(record.failure.failure);
    }
  }

  /** Counts one problem document. */
  recordProblem(failure: Failure): void {
    this.#problems.inc({ code: codeOf(failure) });
  }

  /** Counts one token request to Entra. */
  recordExchange(downstream: string, outcome: string, seconds: number): void {
    this.#exchanges.inc({ downstream, outcome });
    this.#exchangeSeconds.observe(seconds);
  }

  /** Counts one look-up of a downstream token in the second level. */
  recordSharedLookup(outcome: string): void {
    this.#tokenCache.inc({ level: 'redis', outcome });
  }

  /** The values as they are now. */
  read(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }

  /** The page for Prometheus and its content type. */
  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

import type { IncomingMessage } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { codeOf, FAILURES, type Failure, type FailureCode } from '../failures.ts';
import { renderOpenMetrics, renderText, type MetricsFormat, type MetricsPage } from './metrics-page.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import type { RequestRecord } from './request-record.ts';
import { ReloadMetrics } from './reload-metrics.ts';
import { registerStateMetrics, type GatewayState } from './state-metrics.ts';
import { createDurations, createTally, type Durations } from './tally.ts';

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'QUERY']);

/** Redis answers in less than a millisecond, and a request gives it 20. */
const REDIS_BUCKETS_SECONDS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25];

/** The values of all metrics of one process at one moment, as plain data. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** The labels that are known before anything happens; their series begin with 0. */
export interface KnownLabels {
  /** The names of the downstreams. */
  readonly downstreams: readonly string[];
  readonly exchangeOutcomes: readonly string[];
  /** Absent where Redis is not used. */
  readonly redis?: RedisLabels | undefined;
}

interface RedisLabels {
  readonly operations: readonly string[];
  readonly outcomes: readonly string[];
  readonly lookups: readonly string[];
}

/** What is counted of the requests of one operation. */
interface OperationMetrics {
  readonly seconds: Durations;
  /** Of the requests that were forwarded, or were to be. */
  readonly proxy: Answers;
  /** Of the requests that an engine asked about. */
  readonly check: Answers;
  /** Of the requests that an application answered itself. */
  readonly application: Answers;
}

/** Answers by method and status. */
type Answers = Map<string, Map<number, { value: number }>>;

/**
 * The metrics of one process. Labels come from the configuration, the contract and our tables, never from a caller.
 * The counters of every request are looked up by their labels once and then kept.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #addRequests = createTally(['operation', 'method', 'status', 'via'], {
    name: 'gateway_http_requests_total',
    help: 'Requests answered.',
    registry: this.#registry,
  });
  readonly #addRequestSeconds = createDurations('operation', {
    name: 'gateway_http_request_duration_seconds',
    help: 'From the head of the request to the end of the answer.',
    registry: this.#registry,
  });
  readonly #addDownstreamSeconds = createDurations('downstream', {
    name: 'gateway_downstream_request_duration_seconds',
    help: 'Until the head of the downstream’s answer.',
    registry: this.#registry,
  });
  readonly #addLookups = createTally(['level', 'outcome'], {
    name: 'gateway_token_cache_total',
    help: 'Look-ups of downstream tokens.',
    registry: this.#registry,
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
    labelNames: ['downstream', 'outcome'],
    registers: [this.#registry],
  });
  readonly #redisSeconds = new Histogram({
    name: 'gateway_redis_duration_seconds',
    help: 'Time of a command to Redis.',
    labelNames: ['operation', 'outcome'],
    buckets: REDIS_BUCKETS_SECONDS,
    registers: [this.#registry],
  });
  readonly #problems = new Counter({
    name: 'gateway_problems_total',
    help: 'Problem documents sent, by code.',
    labelNames: ['code'],
    registers: [this.#registry],
  });
  readonly #operations = new Map<string, OperationMetrics>();
  readonly #downstreams = new Map<string, Durations>();
  readonly #hits = this.#addLookups({ level: 'memory', outcome: 'hit' });
  readonly #misses = this.#addLookups({ level: 'memory', outcome: 'miss' });
  readonly #redisLookups = new Map<string, { value: number }>();

  /** How the last reload ended. */
  readonly reloads = new ReloadMetrics(this.#registry);

  /** How many requests are under way; whoever takes requests counts them here. */
  readonly inFlight = { count: 0 };

  /**
   * @param known the labels whose series begin with 0
   * @param countDroppedLines how many lines of the log were lost so far
   */
  constructor(known: KnownLabels, countDroppedLines: () => number) {
    registerProcessMetrics(this.#registry, countDroppedLines);
    const inFlight: Gauge = new Gauge({
      name: 'gateway_http_requests_in_flight',
      help: 'Requests under way.',
      registers: [this.#registry],
      collect: () => inFlight.set(this.inFlight.count),
    });
    this.#beginWithZero(known);
    this.begin(known);
  }

  /** Adds the metrics of what other parts keep. */
  watch(state: GatewayState): void {
    registerStateMetrics(this.#registry, state);
  }

  /** Begins the series of what is known now with 0; those that are there go on. */
  begin({ downstreams, exchangeOutcomes }: Pick<KnownLabels, 'downstreams' | 'exchangeOutcomes'>): void {
    for (const downstream of downstreams.filter((name) => !this.#downstreams.has(name))) {
      this.#durationsOf(downstream);
      for (const outcome of exchangeOutcomes) {
        this.#exchanges.inc({ downstream, outcome }, 0);
        this.#exchangeSeconds.zero({ downstream, outcome });
      }
    }
  }

  /** Counts one request, once it is over. */
  recordRequest(req: IncomingMessage, record: RequestRecord): void {
    const operation = record.operation ?? 'none';
    const { via = 'proxy' } = record;
    const { seconds, [via]: answers } = getOrAdd(this.#operations, operation, () => ({
      seconds: this.#addRequestSeconds(operation),
      proxy: new Map(),
      check: new Map(),
      application: new Map(),
    }));
    const traceId = record.trace?.isSampled === true ? record.trace.traceId : undefined;
    seconds.observe((record.durationMs ?? 0) / 1_000, traceId);
    const method = METHODS.has(req.method ?? '') ? String(req.method) : 'other';
    const status = record.status ?? 0;
    const byStatus = getOrAdd(answers, method, () => new Map<number, { value: number }>());
    getOrAdd(byStatus, status, () => this.#addRequests({ operation, method, status, via })).value += 1;
    if (record.areCallsCounted !== true) {
      this.recordCall(record);
    }
    if (record.error !== undefined) {
      this.recordProblem(record.error.code);
    }
  }

  /** Counts one call to a downstream, and the look-up of its token. */
  recordCall({ downstream, downstreamMs, tokenFrom, trace }: RequestRecord): void {
    if (downstream !== undefined && downstreamMs !== undefined) {
      this.#durationsOf(downstream).observe(
        downstreamMs / 1_000,
        trace?.isSampled === true ? trace.traceId : undefined,
      );
    }
    if (tokenFrom !== undefined) {
      (tokenFrom === 'session' ? this.#hits : this.#misses).value += 1;
    }
  }

  /** Counts one problem document. */
  recordProblem(code: FailureCode): void {
    this.#problems.inc({ code });
  }

  /** Counts one token request to Entra. */
  recordExchange(downstream: string, outcome: string, seconds: number): void {
    this.#exchanges.inc({ downstream, outcome });
    this.#exchangeSeconds.observe({ downstream, outcome }, seconds);
  }

  /** Counts one command to Redis. */
  recordRedisCommand(operation: string, outcome: string, seconds: number): void {
    this.#redisSeconds.observe({ operation, outcome }, seconds);
  }

  /** Counts one look-up of a downstream token in the second level. */
  recordRedisLookup(outcome: string): void {
    this.#countRedisLookups(outcome).value += 1;
  }

  /** The values as they are now. */
  read(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }

  /** The page for Prometheus. */
  async render(format: MetricsFormat = 'text'): Promise<MetricsPage> {
    return format === 'openmetrics' ? renderOpenMetrics(await this.read()) : renderText(this.#registry);
  }

  #beginWithZero({ redis }: KnownLabels): void {
    new Set(Object.keys(FAILURES).map((failure) => codeOf(failure as Failure))).forEach((code) =>
      this.#problems.inc({ code }, 0),
    );
    redis?.lookups.forEach((outcome) => this.#countRedisLookups(outcome));
    for (const operation of redis?.operations ?? []) {
      redis?.outcomes.forEach((outcome) => this.#redisSeconds.zero({ operation, outcome }));
    }
  }

  #durationsOf(downstream: string): Durations {
    return getOrAdd(this.#downstreams, downstream, () => this.#addDownstreamSeconds(downstream));
  }

  #countRedisLookups(outcome: string): { value: number } {
    return getOrAdd(this.#redisLookups, outcome, () => this.#addLookups({ level: 'redis', outcome }));
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  const value = known ?? make();
  if (known === undefined) {
    map.set(key, value);
  }
  return value;
}

import { AggregatorRegistry, Registry, type Counter } from 'prom-client';
import { withExemplars } from './exemplars.ts';
import type { MetricsSnapshot } from './metrics.ts';
import { renderOpenMetrics, renderText, type MetricsFormat, type MetricsPage } from './metrics-page.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { ReloadMetrics } from './reload-metrics.ts';

/** The types of metrics that only grow. */
const COUNTS: ReadonlySet<string> = new Set(['counter', 'histogram']);

/**
 * One metrics page for several processes: counters, histograms and sizes are summed.
 *
 * A counter that falls looks like a restart to Prometheus, which would then count everything again. So the counts of an
 * ended process stay in the sums, and a process that does not answer keeps the values that it sent last.
 */
export class JointMetrics {
  readonly #own = new Registry();
  readonly #latest = new Map<number, MetricsSnapshot>();
  readonly #restarts: Counter;
  /** How the last reload ended for the gateway as a whole. */
  readonly reloads = new ReloadMetrics(this.#own);
  #ended: MetricsSnapshot = [];

  /**
   * Begins with the metrics of this process itself: its memory, its CPU time, its start.
   *
   * @param countDroppedLines how many lines of its log were lost so far
   */
  constructor(countDroppedLines: () => number) {
    this.#restarts = registerProcessMetrics(this.#own, countDroppedLines).restarts;
  }

  /** Counts a process that takes the place of another. */
  recordRestart(): void {
    this.#restarts.inc();
  }

  /** Takes the latest values of a process. */
  record(processId: number, snapshot: MetricsSnapshot): void {
    this.#latest.set(processId, snapshot);
  }

  /** Keeps the counts of a process that ended, and forgets its gauges, such as its memory. */
  end(processId: number): void {
    const counted = (this.#latest.get(processId) ?? []).filter(({ type }) => COUNTS.has(String(type)));
    this.#latest.delete(processId);
    this.#ended = sum([this.#ended, counted]).getMetricsAsArray() as MetricsSnapshot;
  }

  /** The values of this process itself. */
  readOwn(): Promise<MetricsSnapshot> {
    return this.#own.getMetricsAsJSON();
  }

  /** The page for Prometheus. */
  async render(format: MetricsFormat = 'text'): Promise<MetricsPage> {
    const snapshots = [await this.readOwn(), ...this.#latest.values(), this.#ended];
    const registry = sum(snapshots);
    return format === 'openmetrics'
      ? renderOpenMetrics(withExemplars(await registry.getMetricsAsJSON(), snapshots))
      : renderText(registry);
  }
}

function sum(snapshots: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => snapshot.map(withStart)));
}

/** Keeps the start of the first process, which is that of the gateway; prom-client would leave the metric out. */
function withStart(metric: MetricsSnapshot[number]): MetricsSnapshot[number] {
  return metric.name === 'process_start_time_seconds' ? { ...metric, aggregator: 'min' } : metric;
}

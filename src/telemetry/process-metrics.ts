import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client';
import { BUILD } from '../runtime/build.ts';

/** Gauges of prom-client with the ending of counters, for which promtool faults a page; each is a sum of others. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * Registers the metrics that every process has, whatever it does: memory and CPU time, what it was built from, the
 * lines that its log lost, the workers that it replaced.
 *
 * @param countDroppedLines how many lines of the log were lost so far
 */
export function registerProcessMetrics(
  registry: Registry,
  countDroppedLines: () => number,
): { readonly restarts: Counter } {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  MISNAMED.forEach((name) => registry.removeSingleMetric(name));
  new Gauge({
    name: 'gateway_build_info',
    help: 'What runs here; always 1.',
    labelNames: Object.keys(BUILD),
    registers,
    // It is the same in every process.
    aggregator: 'max',
  }).set({ ...BUILD }, 1);
  const dropped: Counter = new Counter({
    name: 'gateway_log_lines_dropped_total',
    help: 'Lines of the log that were lost because nobody read them, or because they could not be written.',
    registers,
    collect() {
      dropped.reset();
      dropped.inc(countDroppedLines());
    },
  });
  const restarts = new Counter({
    name: 'gateway_worker_restarts_total',
    help: 'Workers that took the place of one that died or did not answer.',
    registers,
  });
  return { restarts };
}

import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { JointMetrics } from '../../src/telemetry/joint-metrics.ts';
import { Metrics, type MetricsSnapshot } from '../../src/telemetry/metrics.ts';

/** The values of a process that answered some requests. */
function read({ requests, sessions, seconds = 0.1 }: Record<string, number>): Promise<MetricsSnapshot> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'requests_total', help: 'r', labelNames: ['status'], registers }).inc({ status: 200 }, requests);
  new Gauge({ name: 'sessions', help: 's', registers }).set(Number(sessions));
  new Histogram({ name: 'seconds', help: 'd', buckets: [0.2], registers }).observe(seconds);
  new Gauge({ name: 'process_start_time_seconds', help: 'p', registers, aggregator: 'omit' }).set(4_000_000_000);
  return registry.getMetricsAsJSON();
}

/** The lines of the page for one metric, without its comments. */
async function linesOf(metrics: JointMetrics, name: string): Promise<string[]> {
  const { text } = await metrics.render();
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('the page of two processes', () => {
  it.each([
    ['requests_total', ['requests_total{status="200"} 5']],
    ['sessions', ['sessions 30']],
    [
      'seconds',
      ['seconds_bucket{le="0.2"} 1', 'seconds_bucket{le="+Inf"} 2', `seconds_sum ${0.1 + 0.7}`, 'seconds_count 2'],
    ],
  ])('sums %s', async (name, lines) => {
    const metrics = new JointMetrics(() => 0);
    metrics.record(1, await read({ requests: 2, sessions: 10 }));
    metrics.record(2, await read({ requests: 3, sessions: 20, seconds: 0.7 }));
    expect(await linesOf(metrics, name)).toEqual(lines);
  });

  it('says when the first of all processes started, which is this one', async () => {
    const metrics = new JointMetrics(() => 0);
    metrics.record(1, await read({ requests: 2, sessions: 10 }));
    const [line] = await linesOf(metrics, 'process_start_time_seconds');
    expect(Number(line?.split(' ')[1])).toBeLessThan(4_000_000_000);
  });
});

describe('of the processes themselves the page', () => {
  it('sums the lines that their logs lost, and counts those that took the place of another', async () => {
    const metrics = new JointMetrics(() => 3);
    const worker = new Metrics({ downstreams: [], exchangeOutcomes: [] }, () => 4);
    metrics.record(1, await worker.read());
    metrics.recordRestart();
    expect([
      await linesOf(metrics, 'gateway_log_lines_dropped_total'),
      await linesOf(metrics, 'gateway_worker_restarts_total'),
    ]).toEqual([['gateway_log_lines_dropped_total 7'], ['gateway_worker_restarts_total 1']]);
  });

  it('says once what they were built from', async () => {
    const metrics = new JointMetrics(() => 0);
    const worker = new Metrics({ downstreams: [], exchangeOutcomes: [] }, () => 0);
    metrics.record(1, await worker.read());
    metrics.record(2, await worker.read());
    expect(await linesOf(metrics, 'gateway_build_info')).toEqual([
      expect.stringMatching(/^gateway_build_info\{version="\d[^"]*",commit="[^"]*",node="v\d[^"]*"\} 1$/),
    ]);
  });
});

describe('a process that ended', () => {
  it.each([
    ['requests_total', ['requests_total{status="200"} 6'], 'stays counted'],
    ['seconds_count', ['seconds_count 3'], 'stays counted'],
    ['sessions', ['sessions 20'], 'is gone'],
  ])('%s: %j, because what it had %s', async (name, lines) => {
    const metrics = new JointMetrics(() => 0);
    metrics.record(1, await read({ requests: 1, sessions: 5 }));
    metrics.record(2, await read({ requests: 2, sessions: 10 }));
    metrics.record(3, await read({ requests: 3, sessions: 20 }));
    metrics.end(1);
    metrics.end(2);
    expect(await linesOf(metrics, name)).toEqual(lines);
  });

  it('leaves nothing when it never said anything', async () => {
    const metrics = new JointMetrics(() => 0);
    metrics.end(1);
    expect(await linesOf(metrics, 'requests_total')).toEqual([]);
  });
});

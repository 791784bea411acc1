import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { JointMetrics } from '../../src/telemetry/joint-metrics.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import type { CircuitState } from '../../src/resilience/circuit-breaker.ts';
import { describeWith } from '../support/installed-program.ts';
import { readSeries } from '../support/metrics-page.ts';

interface Differences {
  readonly state?: CircuitState;
  readonly openings?: number;
  readonly ageMs?: number;
  readonly expiry?: number | undefined;
  readonly inFlight?: number;
}

/** The metrics of a process that did nothing yet. */
function newMetrics({ state = 'closed', openings = 0, ageMs = 0, expiry, inFlight = 0 }: Differences = {}): Metrics {
  const redis = { operations: ['get', 'set'], outcomes: ['done', 'error'], lookups: ['hit', 'miss'] };
  const metrics = new Metrics({ downstreams: ['graph'], exchangeOutcomes: ['token', 'retry'], redis }, () => 0);
  metrics.watch({
    countSessions: () => 7,
    watchCircuits: () => [{ name: 'entra', state, openings }],
    signingKeysAgeMs: () => ageMs,
    readCredentialExpiry: () => Promise.resolve(expiry),
  });
  metrics.inFlight.count = inFlight;
  return metrics;
}

async function pageOf(...processes: readonly Metrics[]): Promise<string> {
  const joint = new JointMetrics(() => 0);
  for (const [index, metrics] of processes.entries()) {
    joint.record(index + 1, await metrics.read());
  }
  return (await joint.render()).text;
}

describe('before anything happened', () => {
  it.each([
    'gateway_http_requests_in_flight',
    'gateway_exchanges_total{downstream="graph",outcome="retry"}',
    'gateway_exchange_duration_seconds_count{downstream="graph",outcome="token"}',
    'gateway_downstream_request_duration_seconds_count{downstream="graph"}',
    'gateway_redis_duration_seconds_count{operation="set",outcome="error"}',
    'gateway_token_cache_total{level="memory",outcome="miss"}',
    'gateway_token_cache_total{level="redis",outcome="hit"}',
    'gateway_problems_total{code="overloaded"}',
    'gateway_problems_total{code="invalid_request"}',
    'gateway_circuit_state{circuit="entra"}',
    'gateway_circuit_openings_total{circuit="entra"}',
  ])('%s is there with 0', async (series) => {
    const metrics = newMetrics();
    expect(readSeries((await metrics.render()).text, series)).toBe(0);
    expect(readSeries(await pageOf(metrics, newMetrics()), series)).toBe(0);
  });

  it('the end of a credential that nobody knows is not there', async () => {
    expect(await pageOf(newMetrics(), newMetrics())).not.toMatch(/^gateway_credential_expiry_timestamp_seconds \S/m);
  });

  it('the end of a credential goes away with it', async () => {
    let expiry: number | undefined = 5;
    const metrics = new Metrics({ downstreams: [], exchangeOutcomes: [] }, () => 0);
    metrics.watch({
      countSessions: () => 0,
      watchCircuits: () => [],
      signingKeysAgeMs: () => 0,
      readCredentialExpiry: () => Promise.resolve(expiry),
    });
    const seen = [];
    for (expiry of [5, undefined, 6]) {
      seen.push(readSeries((await metrics.render()).text, 'gateway_credential_expiry_timestamp_seconds'));
    }
    expect(seen).toEqual([5, undefined, 6]);
  });
});

describe('on the page of several processes', () => {
  it.each<[string, Differences, Differences, number]>([
    ['gateway_circuit_state{circuit="entra"}', { state: 'open' }, { state: 'half-open' }, 2],
    ['gateway_circuit_state{circuit="entra"}', { state: 'half-open' }, { state: 'closed' }, 1],
    ['gateway_circuit_openings_total{circuit="entra"}', { openings: 2 }, { openings: 3 }, 5],
    ['gateway_signing_keys_age_seconds', { ageMs: 60_000 }, { ageMs: 7_000 }, 60],
    ['gateway_credential_expiry_timestamp_seconds', { expiry: 2_000 }, { expiry: 1_000 }, 1_000],
    ['gateway_credential_expiry_timestamp_seconds', { expiry: undefined }, { expiry: 1_000 }, 1_000],
    ['gateway_http_requests_in_flight', { inFlight: 3 }, { inFlight: 4 }, 7],
    ['gateway_sessions', {}, {}, 14],
  ])('%s of %j and %j is %d', async (series, first, second, value) => {
    expect(readSeries(await pageOf(newMetrics(first), newMetrics(second)), series)).toBe(value);
  });
});

const promtool = spawnSync('promtool', ['--version']).status === 0;

describeWith('promtool', promtool, 'promtool check metrics', () => {
  it.each([
    ['of one process', async () => (await newMetrics({ expiry: 1 }).render()).text],
    ['of several processes', () => pageOf(newMetrics({ expiry: 1 }), newMetrics({ expiry: 2 }))],
  ])('has nothing to say about the page %s', async (_, render) => {
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await render(), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

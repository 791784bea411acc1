import { spawnSync } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { JointMetrics } from '../../src/telemetry/joint-metrics.ts';
import type { MetricsFormat } from '../../src/telemetry/metrics-page.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import type { RequestTrace } from '../../src/telemetry/otlp/request-trace.ts';
import { RequestRecord } from '../../src/telemetry/request-record.ts';
import type { CircuitState } from '../../src/resilience/circuit-breaker.ts';
import { describeWith } from '../support/installed-program.ts';
import { readSeries } from '../support/metrics-page.ts';
import { readOpenMetrics } from '../support/open-metrics.ts';

interface Differences {
  readonly state?: CircuitState;
  readonly openings?: number;
  readonly ageMs?: number;
  readonly expiry?: number | undefined;
  readonly tlsExpiry?: number | undefined;
  readonly inFlight?: number;
}

const CERTIFICATE = 'identity.credential.certificate';
const EXPIRY = `gateway_credential_expiry_timestamp_seconds{key="${CERTIFICATE}"}`;

function endOf(seconds: number | undefined): { key: string; seconds: number } | undefined {
  return seconds === undefined ? undefined : { key: CERTIFICATE, seconds };
}

/** The metrics of a process that did nothing yet. */
function newMetrics(differences: Differences = {}): Metrics {
  const { state = 'closed', openings = 0, ageMs = 0, expiry, tlsExpiry, inFlight = 0 } = differences;
  const redis = { operations: ['get', 'set'], outcomes: ['done', 'error'], lookups: ['hit', 'miss'] };
  const metrics = new Metrics({ downstreams: ['graph'], exchangeOutcomes: ['token', 'retry'], redis }, () => 0);
  metrics.watch({
    countSessions: () => 7,
    readSessionsLimit: () => 100,
    readInFlightLimit: () => 50,
    watchCircuits: () => [{ name: 'entra', state, openings }],
    signingKeysAgeMs: () => ageMs,
    readCredentialExpiry: () => Promise.resolve(endOf(expiry)),
    tlsCertificateExpirySeconds: () => tlsExpiry,
  });
  metrics.inFlight.count = inFlight;
  return metrics;
}

function pageOf(...processes: readonly Metrics[]): Promise<string> {
  return jointPageOf('text', ...processes);
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

  it.each(['credential', 'tls_certificate'])('the end of a %s that nobody knows is not there', async (what) => {
    const page = await pageOf(newMetrics(), newMetrics());
    expect(page).not.toMatch(new RegExp(`^gateway_${what}_expiry_timestamp_seconds[ {]`, 'm'));
  });

  it('the end of a credential goes away with it', async () => {
    let expiry: number | undefined = 5;
    const metrics = new Metrics({ downstreams: [], exchangeOutcomes: [] }, () => 0);
    metrics.watch({
      countSessions: () => 0,
      readSessionsLimit: () => 0,
      readInFlightLimit: () => 0,
      watchCircuits: () => [],
      signingKeysAgeMs: () => 0,
      readCredentialExpiry: () => Promise.resolve(endOf(expiry)),
      tlsCertificateExpirySeconds: () => undefined,
    });
    const seen = [];
    for (expiry of [5, undefined, 6]) {
      seen.push(readSeries((await metrics.render()).text, EXPIRY));
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
    [EXPIRY, { expiry: 2_000 }, { expiry: 1_000 }, 1_000],
    [EXPIRY, { expiry: undefined }, { expiry: 1_000 }, 1_000],
    ['gateway_tls_certificate_expiry_timestamp_seconds', { tlsExpiry: 2_000 }, { tlsExpiry: 1_000 }, 1_000],
    ['gateway_http_requests_in_flight', { inFlight: 3 }, { inFlight: 4 }, 7],
    ['gateway_sessions', {}, {}, 14],
    ['gateway_sessions_limit', {}, {}, 200],
    ['gateway_http_requests_in_flight_limit', {}, {}, 100],
  ])('%s of %j and %j is %d', async (series, first, second, value) => {
    expect(readSeries(await pageOf(newMetrics(first), newMetrics(second)), series)).toBe(value);
  });
});

const record = (traceId: string, isSampled: boolean, ms: number): RequestRecord =>
  Object.assign(new RequestRecord('id'), {
    operation: 'getProfile',
    downstream: 'graph',
    downstreamMs: ms,
    durationMs: ms,
    status: 200,
    trace: { traceId, isSampled } as RequestTrace,
  });
const request = { method: 'GET' } as IncomingMessage;

async function jointPageOf(format: MetricsFormat, ...processes: readonly Metrics[]): Promise<string> {
  const joint = new JointMetrics(() => 0);
  for (const [index, metrics] of processes.entries()) {
    // As node:cluster sends it.
    joint.record(index + 1, structuredClone(await metrics.read()));
  }
  return (await joint.render(format)).text;
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

describe('the page as OpenMetrics', () => {
  it.each([
    ['of one process', async (metrics: Metrics) => (await metrics.render('openmetrics')).text],
    ['of several processes', (metrics: Metrics) => jointPageOf('openmetrics', metrics, newMetrics({ expiry: 2 }))],
  ])('%s keeps every rule, and has the series of the other form', async (_, render) => {
    const metrics = newMetrics({ expiry: 1 });
    metrics.recordRequest(request, record('a', true, 3));
    const samples = readOpenMetrics(await render(metrics));
    const text = (await metrics.render()).text.split('\n').filter((line) => line.startsWith('gateway_'));
    expect(distinct(samples.map(({ name }) => name).filter((name) => name.startsWith('gateway_')))).toEqual(
      distinct(text.map((line) => /^\w+/.exec(line)?.[0] ?? '')),
    );
  });

  it('names the last traced request of each bucket, and none that nobody can look at', async () => {
    const metrics = newMetrics();
    metrics.recordRequest(request, record('first', true, 3));
    metrics.recordRequest(request, record('second', true, 4));
    metrics.recordRequest(request, record('unsampled', false, 4));
    metrics.recordRequest(request, record('slow', true, 20_000));
    const { text } = await metrics.render('openmetrics');
    const exemplars = readOpenMetrics(text).filter(({ exemplar }) => exemplar !== undefined);
    expect(exemplars.map(({ family, labels, exemplar }) => [family, labels['le'], exemplar?.labels])).toEqual([
      ['gateway_http_request_duration_seconds', '0.005', { trace_id: 'second' }],
      ['gateway_http_request_duration_seconds', '+Inf', { trace_id: 'slow' }],
      ['gateway_downstream_request_duration_seconds', '0.005', { trace_id: 'second' }],
      ['gateway_downstream_request_duration_seconds', '+Inf', { trace_id: 'slow' }],
    ]);
  });

  it('of several processes has the latest of them', async () => {
    const [first, second] = [newMetrics(), newMetrics()];
    second.recordRequest(request, record('earlier', true, 3));
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
    first.recordRequest(request, record('later', true, 3));
    const samples = readOpenMetrics(await jointPageOf('openmetrics', first, second));
    const found = samples.flatMap(({ family, exemplar }) =>
      exemplar === undefined ? [] : [[family, exemplar.labels]],
    );
    expect(found).toEqual([
      ['gateway_http_request_duration_seconds', { trace_id: 'later' }],
      ['gateway_downstream_request_duration_seconds', { trace_id: 'later' }],
    ]);
  });

  it('leaves the other form as it is', async () => {
    const metrics = newMetrics();
    metrics.recordRequest(request, record('a', true, 3));
    const series = async (): Promise<string[]> =>
      (await metrics.render()).text.split('\n').filter((line) => line.startsWith('gateway_') && !line.includes('age'));
    const before = await series();
    await metrics.render('openmetrics');
    expect(await series()).toEqual(before);
    expect(before.filter((line) => line.includes('trace_id'))).toEqual([]);
  });
});

const promtool = spawnSync('promtool', ['--version']).status === 0;

describeWith('promtool', promtool, 'promtool check metrics', () => {
  it.each([
    ['of one process', async () => (await newMetrics({ expiry: 1, tlsExpiry: 1 }).render()).text],
    ['of several processes', () => pageOf(newMetrics({ expiry: 1, tlsExpiry: 1 }), newMetrics({ expiry: 2 }))],
  ])('has nothing to say about the page %s', async (_, render) => {
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await render(), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

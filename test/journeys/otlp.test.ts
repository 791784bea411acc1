import { afterAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { readOpenMetrics } from '../support/open-metrics.ts';
import {
  startOtlpReceiver,
  type OtlpReceiver,
  type ReceivedLog,
  type ReceivedMetric,
} from '../support/otlp-receiver.ts';

const FAST = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_BLRP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '200' };

const receiver = await startOtlpReceiver();
const world = await startGatewayWorld({
  env: {
    ...FAST,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=k%20e',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-1,deployment.environment.name=test',
    OTEL_SERVICE_NAME: 'api-gateway',
  },
  log: { requests: 'errors' },
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

/** The log record of a request. */
async function recordOf(response: Response): Promise<ReceivedLog> {
  const requestId = response.headers.get('x-request-id');
  const find = (): ReceivedLog | undefined => receiver.logs.find((one) => one.attributes['requestId'] === requestId);
  await until('the log record of a request arrives', () => find() !== undefined);
  return find() as ReceivedLog;
}

/** The last values of a metric, once they were sent after this moment. */
async function nextMetric(name: string): Promise<ReceivedMetric> {
  const before = receiver.metrics.length;
  const find = (): ReceivedMetric | undefined => receiver.metrics.slice(before).findLast((one) => one.name === name);
  await until(`${name} arrives`, () => find() !== undefined);
  return find() as ReceivedMetric;
}

async function readPage(): Promise<string> {
  return (await fetch(`${world.managementUrl}/metrics`)).text();
}

describe('by OTLP', () => {
  it('each signal goes to its path in the form that was asked for, with the headers and who sends it', async () => {
    await world.call('/open');
    await until('each signal was sent', () => new Set(receiver.exports.map(({ path }) => path)).size === 3);
    await until('a span arrives', () => receiver.spans.length > 0);
    const forms = receiver.exports.map(({ path, headers }) =>
      [path, headers['content-type'], headers['content-encoding'], headers['api-key']].join(' '),
    );
    expect([...new Set(forms)].toSorted()).toEqual([
      '/v1/logs application/json gzip k e',
      '/v1/metrics application/x-protobuf gzip k e',
      '/v1/traces application/json gzip k e',
    ]);
    expect(receiver.spans[0]?.resource).toMatchObject({
      'service.name': 'api-gateway',
      'service.instance.id': 'pod-1',
      'deployment.environment.name': 'test',
    });
  });

  it('metrics have the names and values of the metrics page, and are counted from the start on', async () => {
    await world.call('/open');
    // The first export after a call may have begun before it was over.
    await nextMetric('gateway_http_requests_total');
    const requests = await nextMetric('gateway_http_requests_total');
    const seconds = await nextMetric('gateway_http_request_duration_seconds');
    const known = { operation: 'GET /open', method: 'GET', status: 200, via: 'proxy' };
    expect(requests).toMatchObject({ kind: 'sum', temporality: 2, isMonotonic: true, unit: '' });
    expect(requests.points.map(({ attributes }) => attributes)).toContainEqual(known);
    const value = requests.points.find(({ attributes }) => attributes['operation'] === 'GET /open')?.value;
    expect(await readPage()).toContain(
      `gateway_http_requests_total{operation="GET /open",method="GET",status="200",via="proxy"} ${value}`,
    );
    expect(seconds).toMatchObject({ kind: 'histogram', temporality: 2, unit: 's' });
    const point = seconds.points.find(({ attributes }) => attributes['operation'] === 'GET /open');
    expect(point?.bucketCounts.reduce((sum, count) => sum + count, 0)).toBe(point?.count);
    expect([point?.bounds.length, point?.bucketCounts.length]).toEqual([11, 12]);
    expect(await nextMetric('gateway_sessions')).toMatchObject({ kind: 'gauge' });
    expect(await nextMetric('process_resident_memory_bytes')).toMatchObject({ unit: 'By' });
  });

  it('every metric of the page is sent', async () => {
    await nextMetric('gateway_sessions');
    const names = [...(await readPage()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const sent = new Set(receiver.metrics.map(({ name }) => name));
    expect(names.filter((name) => !sent.has(String(name)))).toEqual([]);
  });

  it('a refusal is a log record of its trace, with its severity and its event', async () => {
    const response = await world.call('/me', { token: 'a.b.c' });
    const record = await recordOf(response);
    expect(record).toMatchObject({
      severityNumber: 9,
      severityText: 'INFO',
      body: 'request',
      eventName: 'token.refused',
      attributes: { 'event.name': 'token.refused', code: 'invalid_token', status: 401, operation: 'getProfile' },
    });
    expect((await receiver.spansOf(record.traceId, 2)).map(({ spanId }) => spanId)).toContain(record.spanId);
  });

  it('the log sends what it writes: no line of a request that went well, where `log.requests` is `errors`', async () => {
    const well = await world.call('/open');
    const refused = await world.call('/no/such/path');
    await recordOf(refused);
    const requestId = well.headers.get('x-request-id');
    expect(receiver.logs.filter(({ attributes }) => attributes['requestId'] === requestId)).toEqual([]);
  });

  it('a fault of a downstream is a warning', async () => {
    expect(await recordOf(await world.call('/gone'))).toMatchObject({ severityNumber: 13, severityText: 'WARN' });
  });
});

describe('the metrics page', () => {
  it('is OpenMetrics with the trace of a request where the client asks for that, and text for others', async () => {
    const response = await world.call('/no/such/path');
    const { traceId } = await world.log.of(response.headers.get('x-request-id'));
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';
    const page = await fetch(`${world.managementUrl}/metrics`, { headers: { accept } });
    expect([page.headers.get('content-type'), page.headers.get('vary')]).toEqual([
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
      'Accept',
    ]);
    const traces = readOpenMetrics(await page.text()).map(({ exemplar }) => exemplar?.labels['trace_id']);
    expect(traces).toContain(traceId);
    const plain = await fetch(`${world.managementUrl}/metrics`);
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
});

/** A gateway that sends everything there, and soon gives up. */
function worldWith({ url }: OtlpReceiver): Promise<GatewayWorld> {
  return startGatewayWorld({ env: { ...FAST, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: '300' } });
}

describe('a receiver that does not take anything', () => {
  const TROUBLE = 'telemetry could not be sent';

  it('is one line a minute for each signal that names the remedy, and the next line says that it is over', async () => {
    const other = await startOtlpReceiver();
    other.behaviour = 400;
    const own = await worldWith(other);
    try {
      await own.call('/open');
      await until('several exports failed', () => other.exports.length > 12);
      await own.call('/open');
      const lines = own.log.lines.filter(({ msg }) => msg === TROUBLE);
      expect(lines.map(({ signal, reason }) => `${String(signal)}: ${String(reason)}`).toSorted()).toEqual([
        'logs: status 400',
        'metrics: status 400',
        'traces: status 400',
      ]);
      expect(lines[0]?.['remedy']).toMatch(/OTEL_EXPORTER_OTLP_ENDPOINT/);
      other.behaviour = 'take';
      await until('it is over', () => own.log.lines.some(({ msg }) => msg === 'telemetry arrives again'));
    } finally {
      await own.close();
      await other.close();
    }
  });

  it.each([
    ['that is not there', undefined],
    ['that never answers', 'hang' as const],
  ])('%s holds no request up, and the gateway stops within two seconds all the same', async (_, behaviour) => {
    const other = await startOtlpReceiver();
    if (behaviour === undefined) {
      await other.close();
    } else {
      other.behaviour = behaviour;
    }
    const own = await worldWith(other);
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await own.call('/open')).status));
    const started = performance.now();
    await own.gateway.stop();
    const ms = performance.now() - started;
    await own.close();
    await (behaviour === undefined ? undefined : other.close());
    expect([new Set(statuses), ms < 2_000]).toEqual([new Set([200]), true]);
  });
});

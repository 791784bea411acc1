import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { findFreePort } from '../../dev/ports.ts';
import { until, untilListening, untilReady, type Run } from '../support/command-program.ts';
import { startCommandWorld, type ServerSettings } from '../support/command-world.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';

// Whole programs start here, several at a time.
jest.setTimeout(120_000);

const world = await startCommandWorld();
const { program, env, writeConfig, bearer } = world;
const receiver = await startOtlpReceiver();
afterAll(async () => {
  await world.close();
  await receiver.close();
});

/** Long enough that nothing is sent before the gateway stops. */
const SLOW = { OTEL_BSP_SCHEDULE_DELAY: '600000', OTEL_BLRP_SCHEDULE_DELAY: '600000' };

async function serve(
  variables: Record<string, string>,
  settings: ServerSettings = {},
): Promise<{ run: Run; url: string; managementUrl: string }> {
  const port = await findFreePort();
  const config = await writeConfig(`gateway-${port}.yaml`, { port, ...settings });
  const run = program.start(['serve', '--config', config], { ...env, ...variables });
  const urls = await untilListening(run);
  await untilReady(urls.managementUrl);
  return { run, ...urls };
}

/** The names of the processes of this gateway that sent something. */
function instancesOf(list: readonly { readonly resource: Readonly<Record<string, unknown>> }[]): string[] {
  const names = list.map(({ resource }) => String(resource['service.instance.id']));
  return [...new Set(names)].filter((name) => name.startsWith('pod-7')).toSorted();
}

async function stop(run: Run): Promise<number | NodeJS.Signals> {
  run.process.kill('SIGTERM');
  return run.ended;
}

describe('a gateway as a process', () => {
  it('sends what still waits when it is told to stop', async () => {
    const { run, url } = await serve({ ...SLOW, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const response = await fetch(`${url}/me`, { headers: bearer() });
    const before = receiver.spans.length;
    expect([response.status, before, await stop(run)]).toEqual([200, 0, 0]);
    expect(receiver.spans.map(({ name }) => name).toSorted()).toEqual([
      'GET /me',
      'authenticate',
      'exchange',
      'forward',
    ]);
    expect(receiver.logs.map(({ body }) => body)).toEqual(expect.arrayContaining(['gateway started', 'request']));
    expect(receiver.metrics.length).toBeGreaterThan(0);
  });

  it('does not wait longer than two seconds for a receiver that never answers', async () => {
    const silent = await startOtlpReceiver();
    silent.behaviour = 'hang';
    const { run, url } = await serve({ ...SLOW, OTEL_EXPORTER_OTLP_ENDPOINT: silent.url });
    await fetch(`${url}/me`, { headers: bearer() });
    const started = performance.now();
    const exitCode = await stop(run);
    const ms = performance.now() - started;
    await silent.close();
    expect([exitCode, ms < 4_000, silent.exports.length > 0]).toEqual([0, true, true]);
  });

  it('of two workers sends from each, under the name of that one', async () => {
    const { run, url } = await serve(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_METRIC_EXPORT_INTERVAL: '200',
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-7',
      },
      { workers: 2 },
    );
    for (let call = 0; call < 4; call += 1) {
      await fetch(`${url}/me`, { headers: { ...bearer(), connection: 'close' } });
    }
    await until(() => (instancesOf(receiver.spans).length === 2 ? true : undefined));
    await until(() => (instancesOf(receiver.metrics).length === 3 ? true : undefined));
    expect(await stop(run)).toBe(0);
    expect(instancesOf(receiver.spans)).toEqual(['pod-7/worker-1', 'pod-7/worker-2']);
    // The primary counts the workers that it replaced.
    expect(instancesOf(receiver.metrics)).toEqual(['pod-7', 'pod-7/worker-1', 'pod-7/worker-2']);
  });

  it('does not start with a wrong variable, and names it', async () => {
    const config = await writeConfig('faulty.yaml');
    const run = program.start(['serve', '--config', config], {
      ...env,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    });
    expect([await run.ended, run.err()]).toEqual([
      2,
      'OTEL_EXPORTER_OTLP_PROTOCOL: found "grpc"; allowed: http/protobuf, http/json\n',
    ]);
  });

  it('loads nothing of OpenTelemetry without its variables', async () => {
    // At its end the process lists every script that it ran.
    const folder = mkdtempSync(join(tmpdir(), 'scripts-'));
    const { run } = await serve({ NODE_V8_COVERAGE: folder });
    const exitCode = await stop(run);
    const lists = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    rmSync(folder, { recursive: true });
    const loaded = [...lists.join('').matchAll(/@opentelemetry\/([\w-]+)\//g)].map(([, name]) => name);
    // prom-client asks this one for traces, of which there are none.
    expect([exitCode, [...new Set(loaded)]]).toEqual([0, ['api']]);
  });
});

import type { ConfigFault } from '../../failures.ts';
import {
  PROTOCOLS,
  ROOT_SAMPLERS,
  SIGNALS,
  type BatchSettings,
  type ExporterSettings,
  type OtlpSettings,
  type SamplerSettings,
  type Signal,
} from './otlp-settings.ts';
import { VariableReader } from './read-variables.ts';

const DEFAULT_SERVICE_NAME = 'obo-gateway';
const DEFAULT_ENDPOINT = 'http://localhost:4318';
const DEFAULT_TIMEOUT_MS = 10_000;

/** The defaults of the specification. */
const DEFAULT_BATCH = { exportTimeoutMs: 30_000, maxQueueSize: 2_048, maxExportBatchSize: 512 } as const;
const TRACES_DELAY_MS = 5_000;
const LOGS_DELAY_MS = 1_000;
const METRICS_INTERVAL_MS = 60_000;

const SAMPLERS = ROOT_SAMPLERS.flatMap((root) => [root, `parentbased_${root}` as const]);

/**
 * Reads what the standard variables of OpenTelemetry ask for. A signal is sent when `OTEL_{SIGNAL}_EXPORTER` is `otlp`,
 * or when that is not set and there is an endpoint for it. Variables that nothing would use are not looked at.
 *
 * @param faults gets one entry for each wrong variable
 * @returns `undefined` when nothing is to be sent
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readOtlpSettings(
  env: Readonly<Record<string, string | undefined>>,
  faults: ConfigFault[],
): OtlpSettings | undefined {
  const reader = new VariableReader(env, faults);
  if (reader.word('OTEL_SDK_DISABLED', ['true', 'false'], 'false') === 'true') {
    return undefined;
  }
  const wanted = SIGNALS.filter((signal) => isWanted(reader, signal));
  if (wanted.length === 0) {
    return undefined;
  }
  checkPropagators(reader, faults);
  return {
    resource: readResource(reader),
    ...(wanted.includes('traces') && {
      traces: {
        exporter: readExporter(reader, 'traces'),
        batch: readBatch(reader, 'OTEL_BSP', TRACES_DELAY_MS),
        sampler: readSampler(reader),
      },
    }),
    ...(wanted.includes('metrics') && { metrics: readMetrics(reader) }),
    ...(wanted.includes('logs') && {
      logs: { exporter: readExporter(reader, 'logs'), batch: readBatch(reader, 'OTEL_BLRP', LOGS_DELAY_MS) },
    }),
  };
}

function isWanted(reader: VariableReader, signal: Signal): boolean {
  const name = signal.toUpperCase();
  const hasEndpoint = reader.has(commonName(`${name}_ENDPOINT`), commonName('ENDPOINT'));
  return reader.word(`OTEL_${name}_EXPORTER`, ['otlp', 'none'], hasEndpoint ? 'otlp' : 'none') === 'otlp';
}

function readExporter(reader: VariableReader, signal: Signal): ExporterSettings {
  const own = (suffix: string): string => `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${suffix}`;
  const nameOf = (suffix: string): string => reader.firstOf(own(suffix), commonName(suffix));
  const files = { ca: nameOf('CERTIFICATE'), cert: nameOf('CLIENT_CERTIFICATE'), key: nameOf('CLIENT_KEY') };
  return {
    url: readAddress(reader, signal, own('ENDPOINT')),
    protocol: reader.word(nameOf('PROTOCOL'), PROTOCOLS, 'http/protobuf'),
    headers: { ...reader.headers(commonName('HEADERS')), ...reader.headers(own('HEADERS')) },
    timeoutMs: reader.count(nameOf('TIMEOUT'), DEFAULT_TIMEOUT_MS),
    compression: reader.word(nameOf('COMPRESSION'), ['gzip', 'none'], 'none'),
    ...Object.fromEntries(
      Object.entries(files).flatMap(([kind, name]) => {
        const file = reader.file(name);
        return file === undefined ? [] : [[kind, file]];
      }),
    ),
  };
}

/** The name of a variable that counts for every signal without one of its own. */
function commonName(suffix: string): string {
  return `OTEL_EXPORTER_OTLP_${suffix}`;
}

/** A signal's own address is used as it is; to the common one the path of the signal is added. */
function readAddress(reader: VariableReader, signal: Signal, own: string): string {
  if (reader.has(own)) {
    return reader.address(own, DEFAULT_ENDPOINT).href;
  }
  const base = reader.address(commonName('ENDPOINT'), DEFAULT_ENDPOINT);
  base.pathname = `${base.pathname.replace(/\/$/, '')}/v1/${signal}`;
  return base.href;
}

function readMetrics(reader: VariableReader): NonNullable<OtlpSettings['metrics']> {
  // The metrics are counted from the start on, as Prometheus wants them; there are no others to send.
  reader.word('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', ['cumulative'], 'cumulative');
  const intervalMs = reader.count('OTEL_METRIC_EXPORT_INTERVAL', METRICS_INTERVAL_MS);
  const exportTimeoutMs = reader.count('OTEL_METRIC_EXPORT_TIMEOUT', DEFAULT_BATCH.exportTimeoutMs);
  return {
    exporter: readExporter(reader, 'metrics'),
    intervalMs,
    // An export ends before the next one begins.
    exportTimeoutMs: Math.min(exportTimeoutMs, intervalMs),
  };
}

function readBatch(reader: VariableReader, prefix: string, delayMs: number): BatchSettings {
  const maxQueueSize = reader.count(`${prefix}_MAX_QUEUE_SIZE`, DEFAULT_BATCH.maxQueueSize);
  const maxExportBatchSize = reader.count(`${prefix}_MAX_EXPORT_BATCH_SIZE`, DEFAULT_BATCH.maxExportBatchSize);
  return {
    scheduleDelayMs: reader.count(`${prefix}_SCHEDULE_DELAY`, delayMs),
    exportTimeoutMs: reader.count(`${prefix}_EXPORT_TIMEOUT`, DEFAULT_BATCH.exportTimeoutMs),
    maxQueueSize,
    maxExportBatchSize: Math.min(maxExportBatchSize, maxQueueSize),
  };
}

function readSampler(reader: VariableReader): SamplerSettings {
  const name = reader.word('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on');
  const root = name.replace('parentbased_', '') as SamplerSettings['root'];
  const ratio = root === 'traceidratio' ? reader.share('OTEL_TRACES_SAMPLER_ARG', 1) : 1;
  return { isParentBased: name !== root, root, ratio };
}

function readResource(reader: VariableReader): Readonly<Record<string, string>> {
  const attributes = reader.pairs('OTEL_RESOURCE_ATTRIBUTES');
  const name = attributes['service.name'] ?? DEFAULT_SERVICE_NAME;
  return { ...attributes, 'service.name': reader.text('OTEL_SERVICE_NAME', name) };
}

/** The only context that the gateway reads and writes is that of W3C; baggage passes as any other header. */
function checkPropagators(reader: VariableReader, faults: ConfigFault[]): void {
  const name = 'OTEL_PROPAGATORS';
  const words = reader
    .text(name, 'tracecontext')
    .split(',')
    .map((word) => word.trim());
  if (!words.includes('tracecontext') || words.some((word) => word !== 'tracecontext' && word !== 'baggage')) {
    faults.push({ at: name, message: 'allowed: tracecontext, or tracecontext,baggage' });
  }
}

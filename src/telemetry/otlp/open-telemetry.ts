import { randomUUID } from 'node:crypto';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { DestinationStream } from 'pino';
import { monotonicMs } from '../../resilience/clock.ts';
import { BUILD } from '../../runtime/build.ts';
import type { Logger } from '../logger.ts';
import type { MetricsSnapshot } from '../metrics.ts';
import { ExportLog } from './export-log.ts';
import { Exporter, type OnExport } from './exporter.ts';
import { CopiedLines } from './log-records.ts';
import { createMetricProducer } from './metric-producer.ts';
import type { BatchSettings, OtlpSettings, SamplerSettings } from './otlp-settings.ts';
import { TraceIds } from './trace-ids.ts';
import { Tracing } from './tracing.ts';

/** The scope of everything that the gateway makes itself. */
const SCOPE = 'obo-gateway';

/** Milliseconds that a process which stops gives the receiver for what still waits. */
const CLOSE_TIMEOUT_MS = 1_500;

const TRACES = {
  protobuf: ProtobufTraceSerializer,
  json: JsonTraceSerializer,
  helper: TraceExporterMetricsHelper,
};
const METRICS = {
  protobuf: ProtobufMetricsSerializer,
  json: JsonMetricsSerializer,
  helper: MetricsExporterMetricsHelper,
};
const LOGS = {
  protobuf: ProtobufLogsSerializer,
  json: JsonLogsSerializer,
  helper: LogsExporterMetricsHelper,
};

/** What runs until the process stops. */
interface Closable {
  shutdown(): Promise<void>;
}

/**
 * The telemetry of one process that is sent by OTLP: what the environment asks for and nothing else. It is nobody's
 * global state, so that several gateways in one process do not meet.
 */
export class OpenTelemetry {
  /** Absent unless traces are sent. */
  readonly tracing: Tracing | undefined;
  readonly #settings: OtlpSettings;
  readonly #resource: Resource;
  readonly #logs: LoggerProvider | undefined;
  readonly #running: Closable[] = [];
  #exportLog: ExportLog | undefined;
  readonly #onExport: OnExport = (signal, error) => this.#exportLog?.record(signal, error);

  /** @param worker which of several workers this process is */
  constructor(settings: OtlpSettings, worker: number | undefined) {
    this.#settings = settings;
    this.#resource = resourceFromAttributes({
      'service.version': BUILD.version,
      ...settings.resource,
      'service.instance.id': nameInstance(settings.resource['service.instance.id'], worker),
    });
    this.tracing = this.#openTraces();
    this.#logs = this.#openLogs();
  }

  /**
   * Gives a stream that writes what it gets to another one, and sends each line as a log record where logs are sent.
   *
   * @param stream where lines of the log go
   */
  copyLines(stream: DestinationStream): DestinationStream {
    return this.#logs === undefined ? stream : new CopiedLines(stream, this.#logs.getLogger(SCOPE, BUILD.version));
  }

  /**
   * Begins to send metrics where they are sent, and tells the log from now on of what does not arrive.
   *
   * @param read the values of the metrics as they are now
   */
  begin(log: Pick<Logger, 'warn' | 'info'>, read: () => Promise<MetricsSnapshot>): void {
    this.#exportLog = new ExportLog(log, monotonicMs);
    const { metrics } = this.#settings;
    if (metrics === undefined) {
      return;
    }
    const exporter = new Exporter<ResourceMetrics>('metrics', metrics.exporter, METRICS, this.#onExport);
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: metrics.intervalMs,
      exportTimeoutMillis: metrics.exportTimeoutMs,
      metricProducers: [createMetricProducer(read)],
    });
    this.#running.push(new MeterProvider({ resource: this.#resource, readers: [reader] }));
  }

  /** Sends what still waits, as far as the receiver takes it within {@link CLOSE_TIMEOUT_MS}, and ends. */
  async close(): Promise<void> {
    this.#exportLog = undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    const ended = Promise.allSettled(this.#running.map((one) => one.shutdown()));
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }

  #openTraces(): Tracing | undefined {
    const { traces } = this.#settings;
    if (traces === undefined) {
      return undefined;
    }
    const exporter = new Exporter<ReadableSpan[]>('traces', traces.exporter, TRACES, this.#onExport);
    const sampler = createSampler(traces.sampler);
    const ids = new TraceIds();
    const provider = new TracerProvider({
      resource: this.#resource,
      sampler,
      idGenerator: ids,
      spanProcessors: [new BatchSpanProcessor({ exporter, ...toBatchOptions(traces.batch) })],
    });
    this.#running.push(provider);
    return new Tracing({ tracer: provider.getTracer(SCOPE, BUILD.version), sampler, ids });
  }

  #openLogs(): LoggerProvider | undefined {
    const { logs } = this.#settings;
    if (logs === undefined) {
      return undefined;
    }
    const exporter = new Exporter<ReadableLogRecord[]>('logs', logs.exporter, LOGS, this.#onExport);
    const processor = new BatchLogRecordProcessor({ exporter, ...toBatchOptions(logs.batch) });
    const provider = new LoggerProvider({ resource: this.#resource, processors: [processor] });
    this.#running.push(provider);
    return provider;
  }
}

/** Each process is an instance of its own, because each counts by itself. */
function nameInstance(given: string | undefined, worker: number | undefined): string {
  const name = given ?? randomUUID();
  return given === undefined || worker === undefined ? name : `${name}/worker-${worker}`;
}

function toBatchOptions({ scheduleDelayMs, exportTimeoutMs, ...sizes }: BatchSettings) {
  return { scheduledDelayMillis: scheduleDelayMs, exportTimeoutMillis: exportTimeoutMs, ...sizes };
}

function createSampler({ isParentBased, root, ratio }: SamplerSettings): Sampler {
  const sampler = ROOTS[root](ratio);
  return isParentBased ? new ParentBasedSampler({ root: sampler }) : sampler;
}

const ROOTS: Readonly<Record<SamplerSettings['root'], (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
};

/** What can be sent by OTLP, in the words of its variables and of the paths of its receivers. */
export const SIGNALS = ['traces', 'metrics', 'logs'] as const;

/** One kind of telemetry. */
export type Signal = (typeof SIGNALS)[number];

/** How a body of OTLP is written; the values of `OTEL_EXPORTER_OTLP_PROTOCOL` that are supported. */
export const PROTOCOLS = ['http/protobuf', 'http/json'] as const;

/** The values of `OTEL_TRACES_SAMPLER`, without the part about parents. */
export const ROOT_SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;

/** Where one signal goes. */
export interface ExporterSettings {
  /** The whole address. */
  readonly url: string;
  readonly protocol: (typeof PROTOCOLS)[number];
  /** Sent with each export; may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds that one export may take, with all its tries. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  /** The paths of PEM files; absent where Node's own authorities count, and the gateway shows no certificate. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How many records wait for an export, and for how long. */
export interface BatchSettings {
  readonly scheduleDelayMs: number;
  readonly exportTimeoutMs: number;
  /** Records that wait at most; further ones are lost. */
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
}

/** Which requests are traced. */
export interface SamplerSettings {
  /** True when the decision of the caller counts where it made one. */
  readonly isParentBased: boolean;
  readonly root: (typeof ROOT_SAMPLERS)[number];
  /** The share of requests for `traceidratio`, from 0 to 1. */
  readonly ratio: number;
}

/** What the standard variables of OpenTelemetry ask for; a signal that is not asked for is absent. */
export interface OtlpSettings {
  /** Attributes of every span, metric and log record: `service.name` and what the environment adds. */
  readonly resource: Readonly<Record<string, string>>;
  readonly traces?: {
    readonly exporter: ExporterSettings;
    readonly batch: BatchSettings;
    readonly sampler: SamplerSettings;
  };
  readonly metrics?: {
    readonly exporter: ExporterSettings;
    readonly intervalMs: number;
    readonly exportTimeoutMs: number;
  };
  readonly logs?: { readonly exporter: ExporterSettings; readonly batch: BatchSettings };
}

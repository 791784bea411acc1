import { readFileSync } from 'node:fs';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { IExporterMetricsHelper, ISerializer } from '@opentelemetry/otlp-transformer';
import { BUILD } from '../../runtime/build.ts';
import type { ExporterSettings, Signal } from './otlp-settings.ts';

/** How a signal is written as OTLP, in both forms. */
export interface Serializers<T> {
  readonly protobuf: ISerializer<T, unknown>;
  readonly json: ISerializer<T, unknown>;
  readonly helper: IExporterMetricsHelper<T>;
}

/** Called after each export; `undefined` when the receiver took it. */
export type OnExport = (signal: Signal, error: Error | undefined) => void;

/** Exports that are under way at a time; further ones fail at once. */
const MAX_CONCURRENT_EXPORTS = 30;

const CONTENT_TYPES = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' } as const;

/** The exporter of one signal by OTLP over HTTP. It tries again for a while when the receiver asks for that. */
export class Exporter<T> extends OTLPExporterBase<T> {
  readonly #signal: Signal;
  readonly #onExport: OnExport;

  constructor(signal: Signal, settings: ExporterSettings, serializers: Serializers<T>, onExport: OnExport) {
    const serializer = settings.protocol === 'http/json' ? serializers.json : serializers.protobuf;
    super(
      createOtlpHttpExportDelegate(
        {
          url: settings.url,
          headers: () => Promise.resolve({ ...settings.headers, 'Content-Type': CONTENT_TYPES[settings.protocol] }),
          timeoutMillis: settings.timeoutMs,
          concurrencyLimit: MAX_CONCURRENT_EXPORTS,
          compression: settings.compression,
          agentFactory: httpAgentFactoryFromOptions({ keepAlive: true, ...readFiles(settings) }),
          userAgent: `obo-gateway/${BUILD.version}`,
        },
        serializer,
        `otlp_http_${signal}_exporter`,
        serializers.helper,
        undefined,
      ),
    );
    this.#signal = signal;
    this.#onExport = onExport;
  }

  override export(items: T, resultCallback: (result: ExportResult) => void): void {
    super.export(items, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      this.#onExport(this.#signal, failed ? (result.error ?? new Error('refused')) : undefined);
      resultCallback(result);
    });
  }
}

function readFiles({ ca, cert, key }: ExporterSettings): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  };
}

import type { Clock } from '../../resilience/clock.ts';
import type { Logger } from '../logger.ts';
import type { Signal } from './otlp-settings.ts';

/** Milliseconds between two lines about one signal that cannot be sent. */
const SILENCE_MS = 60_000;

const REMEDY =
  'Look whether the receiver of OTEL_EXPORTER_OTLP_ENDPOINT is there and takes OTLP over HTTP (usually on port 4318). No request waits for it; what it does not take is lost.';

/** Tells of telemetry that does not arrive: once a minute for each signal, and when it arrives again. */
export class ExportLog {
  readonly #log: Pick<Logger, 'warn' | 'info'>;
  readonly #clock: Clock;
  readonly #failures = new Map<Signal, { count: number; toldAt: number }>();

  constructor(log: Pick<Logger, 'warn' | 'info'>, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Notes how an export ended. */
  record(signal: Signal, error: Error | undefined): void {
    const known = this.#failures.get(signal);
    if (error === undefined) {
      if (known !== undefined) {
        this.#failures.delete(signal);
        this.#log.info({ signal }, 'telemetry arrives again');
      }
      return;
    }
    const failure = known ?? { count: 0, toldAt: Number.NEGATIVE_INFINITY };
    failure.count += 1;
    this.#failures.set(signal, failure);
    if (this.#clock() - failure.toldAt >= SILENCE_MS) {
      failure.toldAt = this.#clock();
      this.#log.warn(
        { signal, reason: nameReason(error), failedExports: failure.count, remedy: REMEDY },
        'telemetry could not be sent',
      );
    }
  }
}

/** A code or a status; the text of an error can hold an answer of the receiver. */
function nameReason(error: Error & { readonly code?: unknown }): string {
  const { code, message } = error;
  if (typeof code === 'string' || typeof code === 'number') {
    return typeof code === 'number' ? `status ${code}` : code;
  }
  return /timed? ?out/i.test(message) ? 'no answer in time' : 'the receiver did not take it';
}

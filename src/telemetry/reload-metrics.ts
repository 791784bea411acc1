import { Gauge, type Registry } from 'prom-client';

/** Shows on the metrics page how the last reload of the configuration ended. */
export class ReloadMetrics {
  readonly #isGood: Gauge;
  readonly #goodAt: Gauge;

  /** The start counts as a reload that was good. */
  constructor(registry: Registry) {
    const registers = [registry];
    // Of several processes the one that is behind counts.
    const aggregator = 'min';
    this.#isGood = new Gauge({
      name: 'gateway_config_last_reload_successful',
      help: 'Whether the configuration that was read last is in use: 1 or 0.',
      registers,
      aggregator,
    });
    this.#goodAt = new Gauge({
      name: 'gateway_config_last_reload_success_timestamp_seconds',
      help: 'When a configuration was last put into use.',
      registers,
      aggregator,
    });
    this.recordSuccess();
  }

  recordSuccess(): void {
    this.#isGood.set(1);
    this.#goodAt.setToCurrentTime();
  }

  recordFailure(): void {
    this.#isGood.set(0);
  }
}

import type { Logger } from '../telemetry/logger.ts';
import { codeOfFailure, remedyOf } from './redis-failure.ts';

/** What can fail on its own: a replica can be read and not written. */
export type RedisOutage = 'connection' | 'look-ups' | 'writes';

/** Logs once that Redis fails and once that it works again, not for each request. */
export class OutageLog {
  readonly #log: Pick<Logger, 'warn' | 'info'>;
  /** Where Redis is, without user and password. */
  readonly #address: string;
  readonly #current = new Set<RedisOutage>();

  constructor(log: Pick<Logger, 'warn' | 'info'>, address: string) {
    this.#log = log;
    this.#address = address;
  }

  begin(outage: RedisOutage, error: unknown): void {
    if (this.#current.size === 0) {
      const code = codeOfFailure(error);
      this.#log.warn(
        { redis: this.#address, trouble: outage, code, remedy: remedyOf(code) },
        'the token cache in Redis fails: requests go on without it',
      );
    }
    this.#current.add(outage);
  }

  end(outage: RedisOutage): void {
    if (this.#current.delete(outage) && this.#current.size === 0) {
      this.#log.info({ redis: this.#address }, 'the token cache in Redis works again');
    }
  }

  /** A new connection is a new start. */
  endAll(): void {
    for (const outage of this.#current) {
      this.end(outage);
    }
  }
}

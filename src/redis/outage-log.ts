import type { Logger } from '../telemetry/logger.ts';
import { codeOfFailure, remedyOf } from './redis-failure.ts';

/** The parts of Redis that can fail alone: a replica, for example, can be read but not written. */
export type RedisOutage = 'connection' | 'look-ups' | 'writes';

/** Logs once that Redis fails and once that it works again, instead of once for each request. */
export class OutageLog {
  readonly #log: Pick<Logger, 'warn' | 'info'>;
  /** The address of Redis, without user and password. */
  readonly #address: string;
  readonly #current = new Set<RedisOutage>();

  constructor(log: Pick<Logger, 'warn' | 'info'>, address: string) {
    this.#log = log;
    this.#address = address;
  }

  /** Notes an outage; logs the error when it is the first one. */
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

  /** Notes the end of an outage; logs it when no other outage is left. */
  end(outage: RedisOutage): void {
    if (this.#current.delete(outage) && this.#current.size === 0) {
      this.#log.info({ redis: this.#address }, 'the token cache in Redis works again');
    }
  }

  /** Notes the end of every outage, because there is a new connection. */
  endAll(): void {
    for (const outage of this.#current) {
      this.end(outage);
    }
  }
}

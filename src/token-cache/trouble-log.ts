import type { Logger } from '../telemetry/logger.ts';
import { codeOfTrouble, remedyOf } from './trouble.ts';

/** What can fail on its own: a replica can be read and not written. */
export type Trouble = 'connection' | 'look-ups' | 'writes';

/** Says once that Redis is in trouble and once that it is well again, not for each request. */
export class TroubleLog {
  readonly #log: Pick<Logger, 'warn' | 'info'>;
  /** Where Redis is, without user and password. */
  readonly #address: string;
  readonly #current = new Set<Trouble>();

  constructor(log: Pick<Logger, 'warn' | 'info'>, address: string) {
    this.#log = log;
    this.#address = address;
  }

  begin(trouble: Trouble, error: unknown): void {
    if (this.#current.size === 0) {
      const code = codeOfTrouble(error);
      this.#log.warn(
        { redis: this.#address, trouble, code, remedy: remedyOf(code) },
        'the token cache in Redis fails: requests go on without it',
      );
    }
    this.#current.add(trouble);
  }

  end(trouble: Trouble): void {
    if (this.#current.delete(trouble) && this.#current.size === 0) {
      this.#log.info({ redis: this.#address }, 'the token cache in Redis works again');
    }
  }

  /** A new connection is a new start. */
  endAll(): void {
    for (const trouble of this.#current) {
      this.end(trouble);
    }
  }
}

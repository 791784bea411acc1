import type { FilesListener } from '../resilience/reread-files.ts';
import type { Logger } from './logger.ts';

/** Tells in the log what happens to a credential that stands in files; never the credential or its path. */
export class CredentialLog implements FilesListener {
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #key: string;

  /** @param key the key of gateway.yaml that names the files */
  constructor(log: Pick<Logger, 'info' | 'warn'>, key: string) {
    this.#log = log;
    this.#key = key;
  }

  onChange(): void {
    this.#log.info({ event: 'credential.changed', key: this.#key }, 'a new credential is in use');
  }

  onTrouble({ message }: Error): void {
    const remedy = `Put back what ${this.#key} names, readable for this user: a restart would fail without it.`;
    this.#log.warn({ key: this.#key, reason: message, remedy }, 'the credential that was read before stays in use');
  }

  onRecovery(): void {
    this.#log.info({ key: this.#key }, 'the credential can be read again, and is the same');
  }
}

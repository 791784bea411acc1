import type { FilesListener } from '../resilience/reread-files.ts';
import type { RecordEvent } from './events.ts';
import type { Logger } from './logger.ts';

/** Where it is told what happens to credentials that stand in files. */
export interface CredentialReports {
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly recordEvent: RecordEvent;
}

/** Tells what happens to a credential that stands in files; never the credential or its path. */
export class CredentialLog implements FilesListener {
  readonly #reports: CredentialReports;
  readonly #key: string;

  /** @param key the key of gateway.yaml that names the files */
  constructor(reports: CredentialReports, key: string) {
    this.#reports = reports;
    this.#key = key;
  }

  onChange(): void {
    this.#reports.recordEvent('credential.changed', { key: this.#key });
  }

  onTrouble({ message }: Error): void {
    const remedy = `Put back what ${this.#key} names, readable for this user: a restart would fail without it.`;
    const fields = { key: this.#key, reason: message, remedy };
    this.#reports.log.warn(fields, 'the credential that was read before stays in use');
  }

  onRecovery(): void {
    this.#reports.log.info({ key: this.#key }, 'the credential can be read again, and is the same');
  }
}

import type { DestinationStream } from 'pino';
import { ConfigError } from '../failures.ts';
import { openAudit, type AuditOutput } from './audit-output.ts';
import type { LogOutputOptions, WhenBlocked } from './log-output.ts';
import type { Logger } from './logger.ts';

/** Where events go besides the log. */
export interface AuditSettings {
  /** `stderr`, or the path of a file; absent for nowhere. */
  readonly audit?: string | undefined;
  readonly whenBlocked: WhenBlocked;
}

/** The second destination of events, which can be opened anew and moved elsewhere while the gateway runs. */
export class AuditLog implements DestinationStream {
  readonly #bindings: LogOutputOptions['bindings'];
  #settings: AuditSettings;
  #open: AuditOutput | undefined;
  #droppedBefore = 0;

  /**
   * Opens it.
   *
   * @param bindings members of its own lines, which the lines of this process carry as well
   * @throws {ConfigError} when the file cannot be opened
   */
  constructor(settings: AuditSettings, bindings: LogOutputOptions['bindings']) {
    this.#bindings = bindings;
    this.#settings = settings;
    this.reopen(settings);
  }

  /** How many lines were lost so far. */
  get droppedLines(): number {
    return this.#droppedBefore + (this.#open?.output.droppedLines ?? 0);
  }

  /** Takes a line, with its line feed; drops it where events go nowhere. */
  write(line: string): void {
    this.#open?.output.write(line);
  }

  /**
   * Opens the file anew, because what was there was moved away, or another one. What cannot be written to the old one at
   * once is lost and counted.
   *
   * @param settings default: as before
   * @throws {ConfigError} when the file cannot be opened; then the old one stays
   */
  reopen(settings: AuditSettings = this.#settings): void {
    const { audit, whenBlocked } = settings;
    const options = { whenBlocked, bindings: this.#bindings, destination: 'log.audit' };
    const opened = audit === undefined ? undefined : openAudit(audit, options);
    this.close(0);
    this.#settings = settings;
    this.#open = opened;
  }

  /**
   * Writes what waits, and closes the file.
   *
   * @param timeoutMs how long writing may take; default a second
   */
  close(timeoutMs?: number): void {
    this.#open?.close(timeoutMs);
    this.#droppedBefore = this.droppedLines;
    this.#open = undefined;
  }
}

const REMEDY =
  'Make the file and its folder writable for this user, and send SIGHUP again; meanwhile events go where they went.';

/** Opens the audit log anew, as after a rotation; when that is not possible, the log says why. */
export function reopenAudit(audit: AuditLog, log: Pick<Logger, 'error'>): void {
  try {
    audit.reopen();
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    error.faults.forEach(({ at, message }) =>
      log.error({ key: at, reason: message, remedy: REMEDY }, 'the audit log was not opened anew'),
    );
  }
}

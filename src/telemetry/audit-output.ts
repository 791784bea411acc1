import { accessSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, type ConfigFault } from '../failures.ts';
import { LogOutput, type LogOutputOptions } from './log-output.ts';
import { EXIT_TIMEOUT_MS, openWithoutWaiting, STANDARD_ERROR } from './standard-output.ts';

/** The value of `log.audit` for standard error; any other is the path of a file. */
export const AUDIT_TO_STDERR = 'stderr';

/** Without waiting, because a path may lead to a pipe, whose opening waits for a reader. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/** The file names users, so that only its owner and the owner's group can read it. */
const FILE_MODE = 0o640;

/** The second destination of events; whoever opens it closes it. */
export interface AuditOutput {
  readonly output: LogOutput;
  /**
   * Writes what waits, and closes the file.
   *
   * @param timeoutMs how long writing may take; default a second
   */
  close(timeoutMs?: number): void;
}

/**
 * Opens the second destination of events.
 *
 * @param target `stderr`, or the path of a file, to whose end lines are added
 * @throws {ConfigError} when the file cannot be opened
 */
export function openAudit(target: string, options: LogOutputOptions): AuditOutput {
  const fd = target === AUDIT_TO_STDERR ? openWithoutWaiting(STANDARD_ERROR) : openFile(target);
  let isOpen = true;
  const output = new LogOutput({ write }, options);
  const onExit = (): void => output.end(EXIT_TIMEOUT_MS);
  process.on('exit', onExit);
  return {
    output,
    close(timeoutMs = EXIT_TIMEOUT_MS) {
      output.end(timeoutMs);
      process.off('exit', onExit);
      isOpen = false;
      if (fd !== STANDARD_ERROR) {
        closeSync(fd);
      }
    },
  };

  function write(data: Buffer): number {
    if (!isOpen) {
      // The number of the descriptor may already stand for another file.
      throw Object.assign(new Error('closed'), { code: 'EBADF' });
    }
    return writeSync(fd, data);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, FLAGS | constants.O_CREAT, FILE_MODE);
  } catch (error) {
    throw new ConfigError([toFault(error)]);
  }
}

/** Looks whether the second destination could be opened, and leaves no file behind. */
export function checkAudit(target: string): ConfigFault | undefined {
  try {
    if (target !== AUDIT_TO_STDERR) {
      tryOpening(target);
    }
    return undefined;
  } catch (error) {
    return toFault(error);
  }
}

function tryOpening(path: string): void {
  try {
    closeSync(openSync(path, FLAGS));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
    // A file that is not there yet is made when the gateway starts.
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  }
}

function toFault(error: unknown): ConfigFault {
  const { code } = error as NodeJS.ErrnoException;
  return { at: 'log.audit', message: `cannot be opened for writing (${code}); allowed: a file, or 'stderr'` };
}

import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { LogOutput, type LogOutputOptions } from './log-output.ts';

const STANDARD_OUTPUT = 1;

/** The descriptor of standard error. */
export const STANDARD_ERROR = 2;

/** Milliseconds that a process which ends waits for the reader of its log. */
export const EXIT_TIMEOUT_MS = 1_000;

/** Opens standard output for a log. Lines that still wait are written before the process ends, within a second. */
export function openStandardOutput(options: Omit<LogOutputOptions, 'maxWriteBytes'>): LogOutput {
  const fd = openWithoutWaiting(STANDARD_OUTPUT);
  const maxWriteBytes = isFile(STANDARD_OUTPUT) ? Number.POSITIVE_INFINITY : undefined;
  const output = new LogOutput({ write: (data) => writeSync(fd, data) }, { ...options, maxWriteBytes });
  process.on('exit', () => output.end(EXIT_TIMEOUT_MS));
  return output;
}

/**
 * Opens a descriptor of standard output or standard error whose writes fail when they would have to wait for a reader.
 *
 * A pipe or a terminal is opened once more for that, because the flag belongs to whatever was opened, and that is
 * shared with the other programs of a shell's line. Where it cannot be opened (a socket, a pipe of another user),
 * Node's own stream sets the flag on the shared one, as it does in any program that writes to it. A file has no readers
 * to wait for.
 */
export function openWithoutWaiting(standard: typeof STANDARD_OUTPUT | typeof STANDARD_ERROR): number {
  // Opens Node's stream, which sets the same flag: the report of a crash must not wait either.
  void process.stderr;
  if (isFile(standard)) {
    return standard;
  }
  try {
    return openSync(`/proc/self/fd/${standard}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    void process.stdout;
    return standard;
  }
}

/** A write to a file is never torn apart, however long it is: the kernel lets one process write after the other. */
function isFile(descriptor: number): boolean {
  return fstatSync(descriptor).isFile();
}

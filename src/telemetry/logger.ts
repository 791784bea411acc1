import { pino, symbols, type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from './log-level.ts';
import type { WhenBlocked } from './log-output.ts';
import { openStandardOutput } from './standard-output.ts';

export type { Logger } from 'pino';

/**
 * Makes the log: one JSON object a line, by default on standard output, where no request waits for its reader.
 *
 * @param level counts for every line, those of requests and events too; default `info`
 */
export function createLogger(
  destination: DestinationStream = openStandardOutput({ whenBlocked: 'drop' }),
  level: LogLevel = 'info',
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
    },
    destination,
  );
}

/** How many lines of this log were lost because nobody read them, or because they could not be written. */
export function countDroppedLines(logger: Logger): number {
  return outputOf(logger)?.droppedLines ?? 0;
}

/** Changes the log of a process that runs. */
export function adaptLogger(
  logger: Logger,
  { level, whenBlocked }: { readonly level: LogLevel; readonly whenBlocked: WhenBlocked },
): void {
  logger.level = level;
  const output = outputOf(logger);
  if (output?.whenBlocked !== undefined) {
    output.whenBlocked = whenBlocked;
  }
}

/** What a stream of ours can do besides; one that a test gives can do nothing more. */
interface LinesOutput {
  readonly droppedLines?: number;
  whenBlocked?: WhenBlocked | undefined;
}

function outputOf(logger: Logger): LinesOutput | undefined {
  return streamOf(logger) as LinesOutput | undefined;
}

/** What a logger writes its lines to, for lines that are written without it. */
export function streamOf(logger: Logger): DestinationStream | undefined {
  return (logger as unknown as Record<symbol, DestinationStream>)[symbols.streamSym];
}

import { pino, symbols, type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from './log-level.ts';
import { LogOutput } from './log-output.ts';
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
  const stream = streamOf(logger);
  return stream instanceof LogOutput ? stream.droppedLines : 0;
}

/** What a logger writes its lines to, for lines that are written without it. */
export function streamOf(logger: Logger): DestinationStream | undefined {
  return (logger as unknown as Record<symbol, DestinationStream>)[symbols.streamSym];
}

import type { DestinationStream } from 'pino';
import { createLogger, type Logger } from './logger.ts';
import type { LogLevel } from './log-level.ts';
import type { OpenTelemetry } from './otlp/open-telemetry.ts';

/** A logger of an application: what it has of pino's methods is called, with the members of a line and its message. */
export type ApplicationLogger = Partial<Record<LogMethod, (fields: object, message?: string) => void>>;

type LogMethod = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * Makes a log that hands its lines to the logger of an application; without one it writes nothing.
 *
 * @param openTelemetry sends the lines by OTLP as well; absent where nothing is sent
 */
export function bridgeLogger(
  to: ApplicationLogger | undefined,
  level: LogLevel,
  openTelemetry?: OpenTelemetry,
): Logger {
  const lines: DestinationStream = { write: (line) => handOver(line, to) };
  const copied = openTelemetry?.copyLines(lines) ?? lines;
  const logger = createLogger(copied, level);
  if (to === undefined && copied === lines) {
    logger.level = 'silent';
  }
  return logger;
}

function handOver(line: string, to: ApplicationLogger | undefined): void {
  const { level, time: _time, msg, ...fields } = JSON.parse(line) as { level: LogMethod; time: string; msg?: string };
  try {
    to?.[level]?.(fields, msg);
  } catch {
    // A logger that fails must not cost a request its answer.
  }
}

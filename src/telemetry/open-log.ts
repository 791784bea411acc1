import type { LogLevel } from './log-level.ts';
import type { WhenBlocked } from './log-output.ts';
import { createLogger, type Logger } from './logger.ts';
import type { OpenTelemetry } from './otlp/open-telemetry.ts';
import { openStandardOutput } from './standard-output.ts';

/** What gateway.yaml says of the log on standard output. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly whenBlocked: WhenBlocked;
}

/** What a log is opened with besides. */
export interface LogParts {
  /** Sends the lines by OTLP as well; absent where they are not sent. */
  readonly openTelemetry?: OpenTelemetry | undefined;
  /** Which of several workers this process is; each of its lines says so. */
  readonly worker?: number;
}

/** Opens the log of a process of the gateway, on standard output. */
export function openLog({ level, whenBlocked }: LogSettings, { openTelemetry, worker }: LogParts): Logger {
  const bindings = worker === undefined ? {} : { worker };
  const output = openStandardOutput({ whenBlocked, bindings });
  const logger = createLogger(openTelemetry?.copyLines(output) ?? output, level);
  return worker === undefined ? logger : logger.child(bindings);
}

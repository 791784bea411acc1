import { ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { SeverityNumber, type AnyValueMap, type Logger } from '@opentelemetry/api-logs';
import type { DestinationStream } from 'pino';
import { parseJsonObject } from '../../syntax/json.ts';
import { LOG_LEVELS, type LogLevel } from '../log-level.ts';
import type { WhenBlocked } from '../log-output.ts';

const SEVERITIES: Readonly<Record<LogLevel, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** Takes the place of a stream of the log: each line goes on as it is, and becomes a log record, too. */
export class CopiedLines implements DestinationStream {
  readonly #stream: DestinationStream;
  readonly #logger: Logger;

  constructor(stream: DestinationStream, logger: Logger) {
    this.#stream = stream;
    this.#logger = logger;
  }

  /** How many lines the stream lost so far. */
  get droppedLines(): number {
    return this.#output.droppedLines ?? 0;
  }

  /** What the stream does when nobody reads it; `undefined` for a stream that has no choice. */
  get whenBlocked(): WhenBlocked | undefined {
    return this.#output.whenBlocked;
  }

  set whenBlocked(value: WhenBlocked | undefined) {
    this.#output.whenBlocked = value;
  }

  get #output(): { readonly droppedLines?: number; whenBlocked?: WhenBlocked | undefined } {
    return this.#stream as object;
  }

  /** Takes a line, with its line feed. */
  write(line: string): void {
    this.#stream.write(line);
    const members = parseJsonObject(line);
    if (members !== undefined) {
      emit(this.#logger, members);
    }
  }
}

function emit(logger: Logger, members: Readonly<Record<string, unknown>>): void {
  const { level, time, msg, traceId, spanId, ...attributes } = members;
  const { event } = attributes;
  const severity = LOG_LEVELS.find((one) => one === level) ?? 'info';
  logger.emit({
    timestamp: new Date(String(time)),
    severityNumber: SEVERITIES[severity],
    severityText: severity.toUpperCase(),
    body: String(msg),
    attributes: {
      ...(attributes as AnyValueMap),
      ...(typeof event === 'string' && { 'event.name': event }),
    },
    ...(typeof event === 'string' && { eventName: event }),
    ...(typeof traceId === 'string' &&
      typeof spanId === 'string' && {
        context: trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.NONE }),
      }),
  });
}

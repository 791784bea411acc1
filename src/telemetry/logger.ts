import type { IncomingMessage } from 'node:http';
import { pino, type DestinationStream, type Logger } from 'pino';
import { codeOf, FAILURES, type Blame, type GatewayError } from '../failures.ts';
import { since, type RequestRecord } from './request-record.ts';

export type { Logger } from 'pino';

/** Makes the log: one JSON object a line, by default on standard output. */
export function createLogger(destination?: DestinationStream): Logger {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const LEVELS: Readonly<Record<Blame, 'info' | 'warn' | 'error'>> = {
  client: 'info',
  gateway: 'error',
  entra: 'warn',
  downstream: 'warn',
};

/**
 * Writes the one line of a request: who, what, how it ended and how long it took; never a token, a query, a path as it
 * was sent, or a claim beyond `tid`, `oid` and `azp`.
 */
export function logRequest(logger: Logger, req: IncomingMessage, record: RequestRecord): void {
  const { failure, principal } = record;
  const level = failure === undefined ? 'info' : LEVELS[FAILURES[failure.failure].blame];
  logger[level](
    {
      requestId: record.requestId,
      operation: record.operation,
      method: req.method,
      status: record.status,
      code: failure && codeOf(failure.failure),
      tid: principal?.tenantId,
      oid: principal?.objectId,
      azp: principal?.clientId,
      downstream: record.downstream,
      token: record.tokenFrom,
      exchangeMs: record.exchangeMs,
      downstreamMs: record.downstreamMs,
      ms: since(record.startedAt),
      callerGone: record.callerGone,
      ...failure?.facts.log,
      ...describeCause(failure),
    },
    'request',
  );
}

/** Our own faults get their stack; what others sent us is never printed. */
function describeCause(failure: GatewayError | undefined): { cause?: string } {
  const cause = failure?.failure === 'internal_error' ? failure.facts.cause : undefined;
  return cause instanceof Error ? { cause: cause.stack ?? cause.message } : {};
}

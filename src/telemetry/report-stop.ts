import type { Logger } from './logger.ts';

/** What the log says when `server.drainTimeout` was too short. */
const CUT_OFF = {
  reason: 'server.drainTimeout was over before their answers were',
  remedy:
    'Raise server.drainTimeout, and the time that the platform gives the process, if these answers may end by themselves.',
};

/** How long a gateway may take to stop; milliseconds. */
export interface StopTimes {
  readonly drainDelay: number;
  readonly drainTimeout: number;
}

/** Tells in the log that a gateway stops, how long that may take, and when it is over. */
export async function reportStop(
  logger: Pick<Logger, 'info'>,
  { drainDelay, drainTimeout }: StopTimes,
  stop: () => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  logger.info({ drainDelayMs: drainDelay, drainTimeoutMs: drainTimeout }, 'gateway stops');
  await stop();
  logger.info({ ms: Math.round(performance.now() - startedAt) }, 'gateway stopped');
}

/** Tells in the log that connections did not end in time; nothing when all did. */
export function reportCutOff(logger: Pick<Logger, 'warn'>, connections: number): void {
  if (connections > 0) {
    logger.warn({ connections, ...CUT_OFF }, 'connections were cut off');
  }
}

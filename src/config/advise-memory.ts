import type { Logger } from '../telemetry/logger.ts';
import { MIN_PROCESS_BYTES, type MemoryPlan } from './plan-memory.ts';

/** Something that does not fit in the memory, and what an operator does about it. */
export interface MemoryAdvice {
  readonly found: string;
  readonly reason: string;
  readonly remedy: string;
  /** The key of gateway.yaml to look at; `undefined` where it is the memory itself. */
  readonly key?: string;
}

/** Says what does not fit in the memory; nothing when all does. */
export function adviseMemory(plan: MemoryPlan): readonly MemoryAdvice[] {
  const { processBytes, fittingSessions, maxSessions, bodyRoomBytes } = plan;
  const share = showSize(processBytes);
  return [
    ...(processBytes < MIN_PROCESS_BYTES
      ? [
          {
            found: `${share} for each process`,
            reason: 'the program itself and its first requests take about 100 MiB, so the kernel may end it',
            remedy: `give each process that serves ${showSize(MIN_PROCESS_BYTES)} or more, or lower server.workers`,
          },
        ]
      : []),
    ...(maxSessions > fittingSessions
      ? [
          {
            found: `${maxSessions} sessions in ${share}, where ${fittingSessions} fit`,
            reason: 'when memory becomes short, the least recently used sessions go before that number is reached',
            remedy: 'raise the memory limit, or leave the key out for as many as fit',
            key: 'tokenCache.maxSessions',
          },
        ]
      : []),
    ...(bodyRoomBytes > processBytes / 8
      ? [
          {
            found: `a body of up to ${showSize(bodyRoomBytes)} in ${share}`,
            reason:
              'one body that is checked may take more than an eighth of the memory, and several times that as JSON',
            remedy: 'raise the memory limit, or lower the limit of bodies (x-body-limit for one operation)',
            key: 'server.bodyLimit',
          },
        ]
      : []),
  ];
}

/** Writes a warning for everything that does not fit. */
export function logMemoryAdvice(plan: MemoryPlan, log: Pick<Logger, 'warn'>): void {
  for (const { found, ...advice } of adviseMemory(plan)) {
    log.warn({ found, ...advice }, 'this does not fit in the memory');
  }
}

/** Shows a size in MiB, the unit of container limits. */
export function showSize(bytes: number): string {
  return `${Math.floor(bytes / 1_024 / 1_024)} MiB`;
}

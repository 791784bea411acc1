import { MemoryGuard } from '../runtime/memory-guard.ts';
import type { Core } from './core.ts';

/** What the log says when sessions had to go before their time. */
const MEMORY_SHORT = {
  reason: 'the process came near its memory limit',
  remedy:
    'Raise the memory limit of the container, or lower server.maxInFlight or server.bodyLimit; see docs/operate/memory.md.',
};

/** The same in the process of an application, most of whose memory is not ours. */
const SHARED_MEMORY_SHORT = {
  reason: 'the process of the application came near its memory limit',
  remedy:
    'Raise the memory limit of the container, or lower tokenCache.maxSessions, so that the application has the rest; see docs/library.md.',
};

/** Makes sessions give way when the process comes near its memory limit. */
export function guardMemory(
  limitBytes: number,
  { logger, sessions, clocks }: Pick<Core, 'logger' | 'sessions' | 'clocks'>,
  sharesProcess: boolean,
): MemoryGuard {
  const advice = sharesProcess ? SHARED_MEMORY_SHORT : MEMORY_SHORT;
  return new MemoryGuard({
    limitBytes,
    sessions,
    monotonicMs: clocks.monotonicMs,
    sharesProcess,
    onShed: (report) => logger.warn({ ...report, limitBytes, ...advice }, 'sessions made room'),
  });
}

import { MemoryGuard } from '../runtime/memory-guard.ts';
import type { Core } from './core.ts';

/** What the log says when sessions had to go before their time. */
const MEMORY_SHORT = {
  reason: 'the process came near its memory limit',
  remedy:
    'Raise the memory limit of the container, or lower server.maxInFlight or server.bodyLimit; see docs/operate/memory.md.',
};

/** Makes sessions give way when the process comes near its memory limit. */
export function guardMemory(
  limitBytes: number,
  { logger, sessions, clocks }: Pick<Core, 'logger' | 'sessions' | 'clocks'>,
): MemoryGuard {
  return new MemoryGuard({
    limitBytes,
    sessions,
    monotonicMs: clocks.monotonicMs,
    onShed: (report) => logger.warn({ ...report, limitBytes, ...MEMORY_SHORT }, 'sessions made room'),
  });
}

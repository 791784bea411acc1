import { readPeakMemory, readResidentMemory, resetPeakMemory } from '../measure/process-figures.ts';
import { medianOf } from '../measure/rounds.ts';
import { LOAD_CORE, startPinned } from '../servers/child-process.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { runTypeScript } from '../servers/typescript.ts';

/** How many streams are open at a time. */
export const STREAMS = 1_000;

/** What one round of reading events showed. */
export interface EventRound {
  readonly eventsPerSecond: number;
  /** Microseconds of the server's CPU time, once all streams are open. */
  readonly cpuPerEvent: number;
  /** Bytes above what the server had before. */
  readonly memory: number;
}

/** Who reads events from which server, and for how long. */
export interface EventOptions {
  readonly server: MeasuredServer;
  readonly tokensFile: string;
  /** How many of the file's tokens take turns. */
  readonly users: number;
  readonly seconds: number;
}

/**
 * Opens {@link STREAMS} streams of events and counts what comes, on the load's core.
 *
 * @throws {Error} when not every stream got events
 */
export async function readEvents({ server, tokensFile, users, seconds }: EventOptions): Promise<EventRound> {
  const { name, origin, process, helper = process } = server;
  const idle = readResidentMemory(process.pid);
  resetPeakMemory(process.pid);
  const reader = await startPinned({
    name: 'the reader of events',
    core: LOAD_CORE,
    ...runTypeScript(
      'read-events.ts',
      `${origin}/events`,
      tokensFile,
      users,
      STREAMS,
      seconds,
      [...new Set([process.pid, helper.pid])].join(),
    ),
    stdout: 'pipe',
  });
  const { events: count, heard, cpuMs } = JSON.parse(await reader.output(seconds + 60)) as EventsRead;
  if (heard !== STREAMS) {
    throw new Error(`${name}: only ${heard} of ${STREAMS} streams got events`);
  }
  return {
    eventsPerSecond: count / seconds,
    cpuPerEvent: (cpuMs * 1_000) / count,
    memory: readPeakMemory(process.pid) - idle,
  };
}

/** What `read-events.ts` tells. */
interface EventsRead {
  readonly events: number;
  readonly heard: number;
  readonly cpuMs: number;
}

/** Says what the rounds showed, for the table. */
export function describeEventRounds(rounds: readonly EventRound[]): string {
  const rate = Math.round(medianOf(rounds, ({ eventsPerSecond }) => eventsPerSecond));
  const cpu = medianOf(rounds, ({ cpuPerEvent }) => cpuPerEvent).toFixed(0);
  const memory = Math.round(medianOf(rounds, (round) => round.memory) / 1_000_000);
  return `${rate} events/s, ${cpu} µs of CPU each, ${memory} MB above before`;
}

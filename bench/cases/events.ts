import type { BenchCase, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { readCpuTime, readPeakMemory, readResidentMemory, resetPeakMemory } from '../measure/process-figures.ts';
import { alternate, medianOf, type Comparison } from '../measure/rounds.ts';
import { LOAD_CORE, startPinned } from '../servers/child-process.ts';
import { startGateway } from '../servers/gateway.ts';
import { startExpressProxy, startReplyFrom, startVerifyingHaproxy } from '../servers/peers.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { runTypeScript } from '../servers/typescript.ts';
import { startSurroundings } from '../surroundings.ts';

const STREAMS = 1_000;
const USERS = 100;

interface EventRound {
  readonly eventsPerSecond: number;
  /** Microseconds of the server's CPU time, with its share of opening the streams. */
  readonly cpuPerEvent: number;
  /** Bytes above what the server had before. */
  readonly memory: number;
}

/** The cost of many open streams of events, each of which gets 20 events a second. */
export const events: BenchCase = {
  name: 'events',
  question: 'What do 1,000 open streams of server-sent events cost?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const { tokensFile } = surroundings.assertions;
    const ours = await startGateway(surroundings);
    await visitWithEach({ url: `${ours.origin}/bytes/1048576`, tokensFile, count: USERS });
    const peers: MeasuredServer[] = [];
    for (const start of [startVerifyingHaproxy, startReplyFrom, startExpressProxy]) {
      peers.push(await start(surroundings));
    }
    const comparisons = await alternate(ours, peers, context.shortPace, async (server, seconds) => {
      const round = await readEvents(server, tokensFile, seconds);
      context.tell(`${server.name}: ${describeRounds([round])}`);
      return round;
    });
    return comparisons.map(describeComparison);
  },
};

async function readEvents(
  { name, origin, process: { pid } }: MeasuredServer,
  tokensFile: string,
  seconds: number,
): Promise<EventRound> {
  const idle = readResidentMemory(pid);
  resetPeakMemory(pid);
  const before = readCpuTime(pid);
  const reader = await startPinned({
    name: 'the reader of events',
    core: LOAD_CORE,
    ...runTypeScript('read-events.ts', `${origin}/events`, tokensFile, USERS, STREAMS, seconds),
    stdout: 'pipe',
  });
  const { events: count, heard } = JSON.parse(await reader.output(seconds + 60)) as { events: number; heard: number };
  if (heard !== STREAMS) {
    throw new Error(`${name}: only ${heard} of ${STREAMS} streams got events`);
  }
  return {
    eventsPerSecond: count / seconds,
    cpuPerEvent: ((readCpuTime(pid) - before) * 1_000) / count,
    memory: readPeakMemory(pid) - idle,
  };
}

function describeComparison({ peer, peers, ours }: Comparison<EventRound>): Row {
  const ratio = medianOf(peers, ({ cpuPerEvent }) => cpuPerEvent) / medianOf(ours, ({ cpuPerEvent }) => cpuPerEvent);
  return {
    figure: `${STREAMS} streams of events: events for the same CPU time, against ${peer.name}`,
    aim: '',
    seen: ratio.toFixed(2),
    details: `${describeRounds(ours)}; there ${describeRounds(peers)}`,
  };
}

function describeRounds(rounds: readonly EventRound[]): string {
  const rate = Math.round(medianOf(rounds, ({ eventsPerSecond }) => eventsPerSecond));
  const cpu = medianOf(rounds, ({ cpuPerEvent }) => cpuPerEvent).toFixed(0);
  const memory = Math.round(medianOf(rounds, (round) => round.memory) / 1_000_000);
  return `${rate} events/s, ${cpu} µs of CPU each, ${memory} MB above before`;
}

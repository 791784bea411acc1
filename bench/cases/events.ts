import type { BenchCase } from '../case.ts';
import { describeEventRounds, readEvents, type EventRound } from '../load/events.ts';
import { visitWithEach } from '../load/visit.ts';
import { alternate } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startBareProxy, startExpressProxy, startReplyFrom, startVerifyingHaproxy } from '../servers/peers.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { startSurroundings } from '../surroundings.ts';
import { describeEventComparison } from './streams-of-events.ts';

const USERS = 100;

/** The least number of events for the CPU time in which HAProxy carries one. */
const MIN_OF_HAPROXY = 0.8;

/** The cost of many open streams of events, each of which gets 20 events a second. */
export const events: BenchCase = {
  name: 'events',
  question: 'What do 1,000 open streams of server-sent events cost?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const { tokensFile } = surroundings.assertions;
    const ours = await startGateway(surroundings);
    await visitWithEach({ url: `${ours.origin}/bytes/1048576`, tokensFile, count: USERS });
    const haproxy = await startVerifyingHaproxy(surroundings);
    const others: MeasuredServer[] = [];
    for (const start of [startBareProxy, startReplyFrom, startExpressProxy]) {
      others.push(await start(surroundings));
    }
    const read = async (server: MeasuredServer, seconds: number): Promise<EventRound> => {
      const round = await readEvents({ server, tokensFile, users: USERS, seconds });
      context.tell(`${server.name}: ${describeEventRounds([round])}`);
      return round;
    };
    const short = { ...context, pace: context.shortPace };
    const comparisons = [
      ...(await alternate(ours, [haproxy], context, read)),
      ...(await alternate(ours, others, short, read)),
    ];
    return comparisons.map((comparison) => {
      const aim = comparison.peer === haproxy ? MIN_OF_HAPROXY : undefined;
      return describeEventComparison(`against ${comparison.peer.name}`, comparison, aim);
    });
  },
};

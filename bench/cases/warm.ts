import type { BenchCase } from '../case.ts';
import { runWrk } from '../load/wrk.ts';
import { startGateway } from '../servers/gateway.ts';
import {
  startExpressProxy,
  startOboSample,
  startReplyFrom,
  startVerifyingHaproxy,
  type StartPeer,
} from '../servers/peers.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { demandSecurity, startSurroundings } from '../surroundings.ts';
import { compareSmallRequests, describeComparison, describeRate } from './small-requests.ts';

const USERS = 100;

interface WarmPeer {
  readonly start: StartPeer;
  readonly aim: number;
  /** False for those that forward whatever they get. */
  readonly isSecure: boolean;
}

const PEERS: readonly WarmPeer[] = [
  { start: startVerifyingHaproxy, aim: 1, isSecure: true },
  { start: startReplyFrom, aim: 0.9, isSecure: false },
  { start: startExpressProxy, aim: 3, isSecure: false },
  { start: startOboSample, aim: 25, isSecure: true },
];

/** The throughput of small requests of known callers, beside all peers. */
export const warm: BenchCase = {
  name: 'warm',
  question: 'How many small requests of 100 known users can one core forward?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const ours = await startGateway(surroundings);
    await demandSecurity(ours, surroundings);
    const peers: MeasuredServer[] = [];
    for (const { start, isSecure } of PEERS) {
      const peer = await start(surroundings);
      if (isSecure) {
        await demandSecurity(peer, surroundings);
      }
      peers.push(peer);
    }
    const { tokensFile } = surroundings.assertions;
    const alone = await runWrk({
      server: surroundings.downstream.fast,
      path: '/me',
      tokensFile,
      users: USERS,
      seconds: context.pace.seconds,
    });
    const comparisons = await compareSmallRequests(context, surroundings, ours, peers, USERS);
    return [
      ...comparisons.map((comparison, index) =>
        describeComparison(`warm small GET, against ${comparison.peer.name}`, comparison, PEERS[index]?.aim),
      ),
      {
        figure: 'small GET, the downstream alone',
        aim: '',
        seen: `${Math.round(alone.requestsPerSecond)}/s`,
        details: `${describeRate(alone)}; wrk and the downstream share their core, so this is the roof of every server`,
      },
    ];
  },
};

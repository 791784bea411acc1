import type { BenchCase, CaseContext, Row } from '../case.ts';
import { runWrk, type WrkResult } from '../load/wrk.ts';
import { sideBySide, type Comparison } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { listNodes, type NodeRuntime } from '../servers/node-runtime.ts';
import {
  startBareProxy,
  startExpressProxy,
  startOboSample,
  startReplyFrom,
  startVerifyingHaproxy,
  type StartPeer,
} from '../servers/peers.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { demandSecurity, startSurroundings, type Surroundings } from '../surroundings.ts';
import { aimAgainstHaproxy } from './haproxy-aim.ts';
import {
  compareRates,
  compareSmallRequests,
  describeComparison,
  describeCpuComparison,
  describeRate,
} from './small-requests.ts';

const USERS = 100;

/** The most CPU of a request in that of the bare proxy. */
const MAX_CPU_OF_BARE_PROXY = 1.25;

interface WarmPeer {
  readonly start: StartPeer;
  /** False for those that forward whatever they get. */
  readonly isSecure: boolean;
  /** The least throughput in that of the peer, from what the bare proxy's is in that of HAProxy; `undefined` without one. */
  readonly findAim: (bareProxyToHaproxy: number) => number | undefined;
}

/** HAProxy and the bare proxy come first. */
const PEERS: readonly WarmPeer[] = [
  { start: startVerifyingHaproxy, isSecure: true, findAim: aimAgainstHaproxy },
  { start: startBareProxy, isSecure: false, findAim: () => undefined },
  { start: startReplyFrom, isSecure: false, findAim: () => 1 },
  { start: startExpressProxy, isSecure: false, findAim: () => 4 },
  { start: startOboSample, isSecure: true, findAim: () => 30 },
];

/** The throughput of small requests of known callers, beside all peers. */
export const warm: BenchCase = {
  name: 'warm',
  question: 'How many small requests of 100 known users can one core forward?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const rows: Row[] = [];
    for (const node of listNodes()) {
      const servers = await startServers({ ...surroundings, node });
      const requests = { users: USERS };
      const comparisons = await compareSmallRequests(context, surroundings, servers.ours, servers.peers, requests);
      rows.push(...describeComparisons(node, comparisons, node.name === surroundings.node.name));
      rows.push(...(await compareAtTheSameTime(context, surroundings, node, servers)));
      await Promise.all([servers.ours, ...servers.peers].map(({ process }) => process.stop()));
    }
    return [...rows, await measureDownstream(context, surroundings)];
  },
};

interface Servers {
  readonly ours: MeasuredServer;
  /** In the order of {@link PEERS}. */
  readonly peers: readonly MeasuredServer[];
}

async function startServers(surroundings: Surroundings): Promise<Servers> {
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
  return { ours, peers };
}

/** @param isAimed true on the Node of the image; the CPU against the bare proxy has its aim on every Node */
function describeComparisons(
  node: NodeRuntime,
  comparisons: readonly Comparison<WrkResult>[],
  isAimed: boolean,
): Row[] {
  const [oursToHaproxy = Number.NaN, oursToBareProxy = Number.NaN] = comparisons.map(compareRates);
  const bareProxyToHaproxy = oursToHaproxy / oursToBareProxy;
  const rates = comparisons.map((comparison, index) => {
    const figure = `warm small GET on ${node.name}, against ${comparison.peer.name}`;
    const aim = isAimed ? PEERS[index]?.findAim(bareProxyToHaproxy) : undefined;
    return describeComparison(figure, comparison, aim);
  });
  const cpu = comparisons
    .filter((_, index) => PEERS[index]?.start === startBareProxy)
    .map((comparison) => {
      const figure = `CPU of a warm small GET on ${node.name}, against ${comparison.peer.name}`;
      const row = describeCpuComparison(figure, comparison, MAX_CPU_OF_BARE_PROXY);
      const reach = `the bare proxy's throughput is ${bareProxyToHaproxy.toFixed(2)} of HAProxy's`;
      return { ...row, details: `${row.details}; ${reach}` };
    });
  return [...cpu, ...rates];
}

/** The CPU against the bare proxy once more, with less of the machine in it; both are warm by now. */
async function compareAtTheSameTime(
  context: CaseContext,
  surroundings: Surroundings,
  { name }: NodeRuntime,
  { ours, peers }: Servers,
): Promise<Row[]> {
  const bareProxy = peers.filter((_, index) => PEERS[index]?.start === startBareProxy);
  const withoutWarmUp = { ...context, pace: { ...context.pace, warmUpSeconds: 0 } };
  const requests = { users: USERS, compare: sideBySide };
  const comparisons = await compareSmallRequests(withoutWarmUp, surroundings, ours, bareProxy, requests);
  return comparisons.map((comparison) =>
    describeCpuComparison(
      `CPU of a warm small GET on ${name}, at the same time as ${comparison.peer.name}`,
      comparison,
    ),
  );
}

async function measureDownstream(context: CaseContext, { downstream, assertions }: Surroundings): Promise<Row> {
  const { pace, quiet } = context;
  const { tokensFile } = assertions;
  const alone = await quiet.measure(() =>
    runWrk({ server: downstream.fast, path: '/me', tokensFile, users: USERS, seconds: pace.seconds }),
  );
  return {
    figure: 'small GET, the downstream alone',
    aim: '',
    seen: `${Math.round(alone.requestsPerSecond)}/s`,
    details: `${describeRate(alone)}; wrk and the downstream share their core, so this is the roof of every server`,
  };
}

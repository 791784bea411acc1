import type { BenchCase, Row } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { runWrk, type WrkResult } from '../load/wrk.ts';
import { alternate, medianOf, ratioOf } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startNginx } from '../servers/nginx.ts';
import { findFreePorts } from '../servers/ports.ts';
import { startSurroundings } from '../surroundings.ts';
import { describeComparison } from './small-requests.ts';

const USERS = 100;

/** The most CPU of a check, in that of a proxied request. */
const MAX_SHARE = 0.5;

/** What a check costs, and what an engine that asks for each request makes of it. */
export const checks: BenchCase = {
  name: 'checks',
  question: 'What does it cost to be asked by an engine that carries the traffic itself?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const [port = 0] = await findFreePorts(1);
    const gateway = await startGateway(surroundings, { settings: { authorizationService: { port } } });
    const service = { ...gateway, name: 'a check', origin: `http://127.0.0.1:${port}` };
    const nginx = await startNginx(surroundings, service.origin);
    const { tokensFile } = surroundings.assertions;
    await visitWithEach({ url: `${gateway.origin}/me`, tokensFile, count: USERS });
    const measure = async (server: typeof gateway, seconds: number): Promise<WrkResult> =>
      runWrk({ server, path: server === service ? '/check/envoy/me' : '/me', tokensFile, users: USERS, seconds });
    const compared = await alternate(service, [gateway], context.pace, measure);
    const engines = await alternate(gateway, [nginx], context.pace, measure);
    return [
      ...compared.map((comparison): Row => {
        const share = ratioOf(comparison, ({ cpuPerRequest }) => cpuPerRequest);
        return {
          figure: 'CPU of a warm check against that of a proxied request',
          aim: `≤ ${MAX_SHARE}`,
          seen: share.toFixed(2),
          isMet: share <= MAX_SHARE,
          details: `${describeCpu(comparison.ours)} against ${describeCpu(comparison.peers)}`,
        };
      }),
      ...engines.map((comparison) =>
        describeComparison('warm small GET through the gateway against nginx that asks it, on one core', comparison),
      ),
    ];
  },
};

function describeCpu(rounds: readonly WrkResult[]): string {
  return `${Math.round(medianOf(rounds, ({ cpuPerRequest }) => cpuPerRequest))} µs`;
}

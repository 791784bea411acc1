import type { BenchCase, CaseContext, Row } from '../case.ts';
import { readEvents } from '../load/events.ts';
import { visitWithEach } from '../load/visit.ts';
import { runWrk } from '../load/wrk.ts';
import { alternate } from '../measure/rounds.ts';
import { startGateway } from '../servers/gateway.ts';
import { startNginx } from '../servers/nginx.ts';
import { findFreePorts } from '../servers/ports.ts';
import type { MeasuredServer } from '../servers/server.ts';
import { MEGABYTE, startSurroundings } from '../surroundings.ts';
import { describeEventComparison } from './streams-of-events.ts';
import { describeComparison, describeCpuComparison } from './small-requests.ts';

const USERS = 100;

/** The most CPU of a check, in that of a proxied request. */
const MAX_SHARE = 0.5;

/** wrk keeps one request for each user in memory, with its body. */
const BODY_USERS = 16;

const AGAINST = 'through the gateway against nginx that asks it, on one core, the CPU of both programs together';

const TRANSFERS = [
  { figure: '1 MB down', method: 'GET', path: `/bytes/${MEGABYTE}`, bodySize: 0 },
  { figure: '1 MB up', method: 'POST', path: '/upload', bodySize: MEGABYTE },
] as const;

/** What a check costs, and what an engine that asks for each request makes of it. */
export const checks: BenchCase = {
  name: 'checks',
  question: 'What does it cost to be asked by an engine that carries the traffic itself?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, USERS);
    const [port = 0] = await findFreePorts(1);
    const gateway = await startGateway(surroundings, { settings: { authorizationService: { port } } });
    const service = { ...gateway, name: 'a check', origin: `http://127.0.0.1:${port}` };
    const nginx = await startNginx(surroundings, service);
    const { tokensFile } = surroundings.assertions;
    for (const path of ['/me', `/bytes/${MEGABYTE}`]) {
      await visitWithEach({ url: `${gateway.origin}${path}`, tokensFile, count: USERS });
    }
    const short = { ...context, pace: context.shortPace };
    const bench = { context, short, tokensFile, gateway, nginx };
    return [
      ...(await compareCpu(bench, service)),
      ...(await compareSmall(bench)),
      ...(await compareTransfers(bench)),
      ...(await compareStreams(bench)),
    ];
  },
};

interface ChecksBench {
  readonly context: CaseContext;
  /** The same at the short pace. */
  readonly short: CaseContext;
  readonly tokensFile: string;
  readonly gateway: MeasuredServer;
  readonly nginx: MeasuredServer;
}

async function compareCpu({ context, tokensFile, gateway }: ChecksBench, service: MeasuredServer): Promise<Row[]> {
  const compared = await alternate(service, [gateway], context, async (server, seconds) =>
    runWrk({ server, path: server === service ? '/check/envoy/me' : '/me', tokensFile, users: USERS, seconds }),
  );
  const figure = 'CPU of a warm check against that of a proxied request';
  return compared.map((comparison) => describeCpuComparison(figure, comparison, MAX_SHARE));
}

async function compareSmall({ context, tokensFile, gateway, nginx }: ChecksBench): Promise<Row[]> {
  const compared = await alternate(gateway, [nginx], context, async (server, seconds) =>
    runWrk({ server, path: '/me', tokensFile, users: USERS, seconds }),
  );
  return compared.map((comparison) => describeComparison(`warm small GET ${AGAINST}`, comparison));
}

async function compareTransfers({ short, tokensFile, gateway, nginx }: ChecksBench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { figure, ...transfer } of TRANSFERS) {
    const compared = await alternate(gateway, [nginx], short, async (server, seconds) =>
      runWrk({ ...transfer, server, tokensFile, users: BODY_USERS, seconds }),
    );
    rows.push(...compared.map((comparison) => describeComparison(`${figure} ${AGAINST}`, comparison)));
  }
  return rows;
}

async function compareStreams({ short, tokensFile, gateway, nginx }: ChecksBench): Promise<Row[]> {
  const compared = await alternate(gateway, [nginx], short, async (server, seconds) =>
    readEvents({ server, tokensFile, users: USERS, seconds }),
  );
  return compared.map((comparison) => describeEventComparison(AGAINST, comparison));
}

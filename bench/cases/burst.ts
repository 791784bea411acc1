import type { BenchCase } from '../case.ts';
import { visitWithEach } from '../load/visit.ts';
import { startGateway } from '../servers/gateway.ts';
import { startSurroundings } from '../surroundings.ts';

const REQUESTS = 1_000;

/** Long enough that every request is in before the exchange is done; milliseconds. */
const EXCHANGE_DELAY_MS = 1_000;

/** The exchanges of many first requests with one assertion. */
export const burst: BenchCase = {
  name: 'burst',
  question: 'How many exchanges do 1,000 concurrent first requests with one assertion make?',
  run: async (context) => {
    const surroundings = await startSurroundings(context, 100, EXCHANGE_DELAY_MS);
    const { origin } = await startGateway(surroundings);
    const { tokensFile } = surroundings.assertions;
    await visitWithEach({ url: `${origin}/me`, tokensFile, count: 1, times: REQUESTS, width: REQUESTS });
    const exchanges = await surroundings.entra.countExchanges();
    return [
      {
        figure: `exchanges for ${REQUESTS} concurrent first requests with one assertion`,
        aim: '1',
        seen: String(exchanges),
        isMet: exchanges === 1,
        details: `Entra took ${EXCHANGE_DELAY_MS} ms for the exchange; all requests were answered with 200`,
      },
    ];
  },
};

import { expect, it } from '@jest/globals';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { checkDownstream } from '../../src/check/check-downstream.ts';

// Nothing else is imported here, because whatever loads all of undici gives the pools of the gateway their `request`.
it('a downstream is checked also where no other check has loaded what it needs', async () => {
  const server = await listenOnLoopback({}, () => (_req, res) => res.end());
  const row = await checkDownstream(
    'api',
    { baseUrl: server.origin, timeout: {}, connections: {}, headLimit: 16_384 } as Parameters<
      typeof checkDownstream
    >[1],
    5_000,
  );
  expect(row.found).toBe(`${server.origin} answers (status 200)`);
  await server.close();
});

import { describe, expect, it } from '@jest/globals';
import { listenOnLoopback, type LoopbackServer } from '../../dev/loopback-server.ts';

function start(): Promise<LoopbackServer> {
  return listenOnLoopback({}, () => (req, res) => {
    if (req.url !== '/silent') {
      res.end();
    }
  });
}

async function canReach({ origin }: LoopbackServer): Promise<boolean> {
  return fetch(origin).then(
    ({ ok }) => ok,
    () => false,
  );
}

describe('can a demo server go away for a while', () => {
  it('it refuses connections until it is back, on the same port; asking twice changes nothing', async () => {
    const server = await start();
    const seen = [await canReach(server)];
    for (const change of ['pause', 'pause', 'resume', 'resume'] as const) {
      await server[change]();
      seen.push(await canReach(server));
    }
    await server.close();
    expect(seen).toEqual([true, false, false, true, true]);
  });

  it('it breaks what is open', async () => {
    const server = await start();
    await canReach(server);
    const silence = fetch(`${server.origin}/silent`);
    const [outcome] = await Promise.allSettled([silence, server.pause()]);
    expect(outcome.status).toBe('rejected');
    await server.close();
  });

  it('it can be stopped while it is away', async () => {
    const server = await start();
    await server.pause();
    await server.close();
    expect(await canReach(server)).toBe(false);
  });
});

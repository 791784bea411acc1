import { describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { readProblem, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';

async function withWorld(
  play: (world: GatewayWorld) => Promise<void>,
  options?: Parameters<typeof startGatewayWorld>[0],
): Promise<void> {
  const world = await startGatewayWorld(options);
  try {
    await play(world);
  } finally {
    await world.close();
  }
}

async function statusOf(world: GatewayWorld, token: string): Promise<number> {
  return (await world.call('/me', { token })).status;
}

function countKeyRequests({ emulator }: GatewayWorld): number {
  return emulator.requests.filter(({ path }) => path.includes('/discovery/')).length;
}

describe('what if Entra rolls its keys', () => {
  it('the first token with the new key is accepted, and old tokens go on', async () => {
    await withWorld(async (world) => {
      const old = world.token('adele');
      await statusOf(world, old);
      await world.emulator.rollKeys();
      expect([await statusOf(world, world.token('adele')), await statusOf(world, old)]).toEqual([200, 200]);
    });
  });

  it('a key that left the set ends the sessions of its tokens', async () => {
    await withWorld(async (world) => {
      const old = world.token('adele');
      await statusOf(world, old);
      await world.emulator.rollKeys({ keepOld: false });
      expect([await statusOf(world, world.token('adele')), await statusOf(world, old)]).toEqual([200, 401]);
    });
  });

  it('the keys cannot be had just then: the old ones stay good', async () => {
    await withWorld(async (world) => {
      const old = world.token('adele');
      await world.emulator.rollKeys();
      const newer = world.token('adele');
      world.emulator.switches.keys = 'down';
      expect([await statusOf(world, newer), await statusOf(world, old)]).toEqual([401, 200]);
      world.emulator.switches.keys = 'up';
      world.advance(30_000);
      expect(await statusOf(world, newer)).toBe(200);
    });
  });

  it('made-up key ids make the gateway ask once, not once for each', async () => {
    await withWorld(async (world) => {
      // A gateway is ready with the keys of one version; those of the other may come later.
      await until('the keys of both versions were asked for', () => countKeyRequests(world) === 2);
      expect(await statusOf(world, world.token('adele'))).toBe(200);
      const before = countKeyRequests(world);
      const forged = Array.from({ length: 20 }, (_, index) =>
        world.emulator.signToken({ ver: '2.0' }, { kid: `k${index}` }),
      );
      const statuses = await Promise.all(forged.map((token) => statusOf(world, token)));
      expect(new Set(statuses)).toEqual(new Set([401]));
      expect(countKeyRequests(world) - before).toBe(1);
    });
  });
});

describe('what if there are no keys at the start', () => {
  it('callers wait, readiness says why, and all is well once the keys are there', async () => {
    await withWorld(
      async (world) => {
        const refused = await world.call('/me', { token: world.token('adele') });
        const ready = await fetch(`${world.managementUrl}/readyz`);
        expect([refused.status, (await readProblem(refused)).code, refused.headers.has('retry-after')]).toEqual([
          503,
          'identity_unavailable',
          true,
        ]);
        expect([ready.status, await ready.json()]).toEqual([
          503,
          { status: 'not ready', reason: expect.stringContaining('keys') },
        ]);
        expect((await world.call('/open')).status).toBe(200);
        world.emulator.switches.keys = 'up';
        await until('the gateway is ready', async () => (await fetch(`${world.managementUrl}/readyz`)).ok);
        expect(await statusOf(world, world.token('adele'))).toBe(200);
      },
      {
        beforeStart: ({ switches }) => {
          switches.keys = 'down';
        },
      },
    );
  });
});

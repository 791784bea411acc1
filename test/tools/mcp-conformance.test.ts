import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startWorld, type ConformanceWorld } from './mcp-conformance/conformance-world.ts';
import { describeWithSuite, runSuite, type Check } from './mcp-conformance/run-suite.ts';

jest.setTimeout(240_000);

/** The extensions of the protocol that the server does not have; what the suite says of them must be the same, too. */
const NOT_THERE = /^tasks-/;

describeWithSuite('the conformance suite of MCP', () => {
  let world: ConformanceWorld;
  let direct: Check[];
  beforeAll(async () => {
    world = await startWorld();
    direct = await runSuite(world.addresses.direct);
  });
  afterAll(() => world.close());

  it('finds all in order at the server itself', () => {
    expect(direct.filter(({ scenario, status }) => status === 'FAILURE' && !NOT_THERE.test(scenario))).toEqual([]);
    expect(direct.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(190);
  });

  describe('finds the same through the gateway', () => {
    it.each([
      ['that looks at no token and no message', 'open'],
      ['that looks at each message, for the rules of a tool, and calls on behalf of a user', 'guarded'],
    ] as const)('%s', async (_how, name) => {
      const through = await runSuite(world.addresses[name]);
      const differing = findDiffering(direct, through);
      // Some checks wait for a fixed time, so what differs on a busy machine is run once more, by itself.
      for (const scenario of differing) {
        const again = { scenario };
        const [first, second] = [
          await runSuite(world.addresses.direct, again),
          await runSuite(world.addresses[name], again),
        ];
        expect(second).toEqual(first);
      }
      expect(differing.length).toBeLessThan(3);
    });

    it('and with tokens of the user for the server', () => {
      const made = world.log.lines.filter(({ event }) => event === 'exchange.made');
      expect(made).toEqual([expect.objectContaining({ downstream: 'everything', caller: 'user' })]);
    });
  });
});

/** The scenarios whose checks are not the same. */
function findDiffering(some: readonly Check[], others: readonly Check[]): string[] {
  const scenarios = new Set([...some, ...others].map(({ scenario }) => scenario));
  return [...scenarios].filter((scenario) => writeChecks(some, scenario) !== writeChecks(others, scenario));
}

function writeChecks(checks: readonly Check[], scenario: string): string {
  return JSON.stringify(checks.filter((check) => check.scenario === scenario));
}

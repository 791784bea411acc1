import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterEach(() => world.emulator.resetSwitches());
afterAll(() => world.close());

const aheadBy = (seconds: number) => ({ now: () => Date.now() + seconds * 1_000 });

describe('the clock', () => {
  it.each([
    // The answer of a busy machine is a few seconds old.
    [0, 'ok', /^(that of Entra|[1-9] s )/],
    [20, 'ok', /^(19|2\d) s ahead of Entra$/],
    [45, 'warn', /^(4\d|5\d) s ahead of Entra$/],
    [-45, 'warn', /^(3\d|4\d) s behind Entra$/],
    [290, 'warn', /ahead/],
    [305, 'fail', /ahead/],
    [-315, 'fail', /behind/],
  ])('that is %d s ahead is %s', async (seconds, status, found) => {
    expect(rowOf(await world.rowsOf({}, aheadBy(seconds)), 'clock')).toMatchObject({
      status,
      found: expect.stringMatching(found),
    });
  });

  it('is borne as far as the configuration says', async () => {
    const rows = await world.rowsOf({ identity: { clockTolerance: '2m' } }, aheadBy(350));
    expect(rowOf(rows, 'clock')).toMatchObject({ status: 'warn', remedy: expect.stringContaining('NTP') });
  });

  it('is not known while Entra does not answer', async () => {
    world.emulator.switches.keys = 'hang';
    const rows = await world.rowsOf({}, { deadlineMs: 200 });
    expect(rowOf(rows, 'clock')).toMatchObject({ status: 'warn', found: 'not known' });
  });
});

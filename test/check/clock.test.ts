import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterEach(() => world.emulator.resetSwitches());
afterAll(() => world.close());

const aheadBy = (seconds: number) => ({ now: () => Date.now() + seconds * 1_000 });

describe('the clock', () => {
  it.each([
    [0, 'ok', /^(that of Entra|1 s )/],
    [25, 'ok', /^2[456] s ahead of Entra$/],
    [40, 'warn', /^(39|40|41) s ahead of Entra$/],
    [-40, 'warn', /^(39|40|41) s behind Entra$/],
    [295, 'warn', /ahead/],
    [305, 'fail', /ahead/],
    [-305, 'fail', /behind/],
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

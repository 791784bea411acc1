import { afterAll, describe, expect, it } from '@jest/globals';
import { Narrator } from '../../dev/tour/narrator.ts';
import { playStory } from '../../dev/tour/story.ts';
import { startWorld } from '../../dev/world.ts';

const world = await startWorld();
world.emulator.switches.deviceCodeInterval = 0.05;
afterAll(() => world.close());

describe('the tour', () => {
  it('comes out as told', async () => {
    const lines: string[] = [];
    const narrator = new Narrator(world, (line) => lines.push(line));
    await playStory({ world, narrator });
    narrator.summarize();
    expect(lines.filter((line) => line.includes('✗'))).toEqual([]);
  });
});

import { startWorld } from '../world.ts';
import { Narrator } from './narrator.ts';
import { playStory } from './story.ts';

const world = await startWorld();
world.emulator.switches.deviceCodeInterval = 1;
const narrator = new Narrator(world);
try {
  await playStory({ world, narrator });
} catch (error) {
  console.error(error);
  narrator.check('the tour reached its end', false);
} finally {
  process.exitCode = narrator.summarize() ? 0 : 1;
  await world.close();
}

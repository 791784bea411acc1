import type { Hop } from '../hop.ts';
import { drawDiagram } from './diagram.ts';
import { find } from './element.ts';
import { Journey } from './journey.ts';
import type { Viewer } from './viewer.ts';

/** Starts the journey of a page, which hears of the hops of the whole world and is drawn whenever it changes. */
export function startJourney(viewer: Viewer): Journey {
  const list = find('diagram', HTMLOListElement);
  const journey = new Journey(() => {
    drawDiagram(list, journey);
    viewer.follow();
  });
  new EventSource('/hops').addEventListener('message', ({ data }) => {
    journey.learn(JSON.parse(String(data)) as Hop);
  });
  return journey;
}

import type { Hop } from './hop.ts';

/** A hop before it is counted. */
export type NewHop = Omit<Hop, 'number'>;

/** The hops of the demo world, told as they become known to whoever listens; none is kept. */
export class Trace {
  readonly #listeners = new Set<(hop: Hop) => void>();
  #count = 0;

  /** Counts a hop and tells the listeners; what is no hop is left out. */
  add(hop: NewHop | undefined): void {
    if (hop === undefined) {
      return;
    }
    this.#count += 1;
    for (const listener of this.#listeners) {
      listener({ number: this.#count, ...hop });
    }
  }

  /** Calls the listener for each further hop; the answer ends that. */
  onHop(listener: (hop: Hop) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A listener for records as they are made. */
type Listener<T> = (record: T) => void;

/** So many are kept that no test misses one, and so few that a world can run for days. */
const MAX_KEPT = 10_000;

/** The requests that one demo server answered, oldest first, and whoever wants to hear of the next. */
export class TrafficLog<T> {
  /** One record for each finished request, without those that are long past. */
  readonly requests: T[] = [];
  readonly #listeners = new Set<Listener<T>>();

  /** Keeps one record and tells the listeners. */
  add(record: T): void {
    this.requests.push(record);
    if (this.requests.length > MAX_KEPT) {
      this.requests.shift();
    }
    for (const listener of this.#listeners) {
      listener(record);
    }
  }

  /** Calls the listener for each further record; the answer ends that. */
  onRequest(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

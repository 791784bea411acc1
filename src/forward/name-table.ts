/** So many names that all common ones fit, so few that a caller who makes names up cannot fill the memory. */
const MAX_NAMES = 1_000;

/** Characters; a longer name is decided each time. */
const MAX_NAME = 100;

/**
 * Remembers what was decided about a header name, as it was written: the same few names come with every request, and
 * looking one up costs less than lower-casing it and comparing it with every rule again.
 */
export class NameTable<T> {
  readonly #decide: (lower: string) => T;
  readonly #decided = new Map<string, T>();

  /** @param decide what holds for a name in lower case */
  constructor(decide: (lower: string) => T) {
    this.#decide = decide;
  }

  find(name: string): T {
    const known = this.#decided.get(name);
    return known ?? this.#add(name);
  }

  #add(name: string): T {
    const decision = this.#decide(name.toLowerCase());
    if (this.#decided.size < MAX_NAMES && name.length <= MAX_NAME) {
      this.#decided.set(name, decision);
    }
    return decision;
  }
}

/** The names that a table remembers: all common ones fit, and a caller that makes names up cannot fill the memory. */
const MAX_NAMES = 1_000;

/** Characters; a longer name is decided anew each time. */
const MAX_NAME_LENGTH = 100;

/**
 * Remembers what was decided about each header name, as it was written: the same few names come with every request, and
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
    if (this.#decided.size < MAX_NAMES && name.length <= MAX_NAME_LENGTH) {
      this.#decided.set(name, decision);
    }
    return decision;
  }
}

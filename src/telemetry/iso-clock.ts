/** Writes the time of day as text, once for all lines of a millisecond. */
export class IsoClock {
  #at = 0;
  #text = '';

  /** The time now, in the form of RFC 3339. */
  now(): string {
    const at = Date.now();
    if (at !== this.#at) {
      this.#at = at;
      this.#text = new Date(at).toISOString();
    }
    return this.#text;
  }
}

/** Writes the time of day as text, once for all lines of a millisecond. */
export class IsoClock {
  readonly #write: (time: string) => string;
  #at = 0;
  #text = '';

  /** @param write makes more of the time than its text */
  constructor(write = (time: string): string => time) {
    this.#write = write;
  }

  /** The time now, in the form of RFC 3339. */
  now(): string {
    const at = Date.now();
    if (at !== this.#at) {
      this.#at = at;
      this.#text = this.#write(new Date(at).toISOString());
    }
    return this.#text;
  }
}

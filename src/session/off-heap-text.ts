/**
 * The size of a slab: some twenty tokens. A slab stays for as long as one of its texts does. Smaller ones waste more at
 * their ends (with 16 kB, 100,000 tokens take 10 MB more), larger ones more once most of their texts have gone.
 */
const SLAB_BYTES = 32 * 1_024;

/**
 * A text of Latin-1 characters in memory that the garbage collector neither moves nor counts; made a string anew each
 * time that it is asked for, which for 1.5 kB takes a fraction of a microsecond. It is in a private field, so that no
 * log line or error can show it by accident.
 */
export class OffHeapText {
  static #newest = Buffer.alloc(0);
  static #used = 0;
  readonly #slab: Buffer;
  readonly #from: number;
  readonly #to: number;

  constructor(text: string) {
    if (OffHeapText.#used + text.length > OffHeapText.#newest.length) {
      OffHeapText.#newest = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, text.length));
      OffHeapText.#used = 0;
    }
    this.#slab = OffHeapText.#newest;
    this.#from = OffHeapText.#used;
    this.#to = this.#from + this.#slab.write(text, this.#from, 'latin1');
    OffHeapText.#used = this.#to;
  }

  /** @param from where to begin; default at the first character */
  read(from = 0): string {
    return this.#slab.toString('latin1', this.#from + from, this.#to);
  }
}

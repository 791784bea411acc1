import { packText, unpackText } from './packed-text.ts';

/**
 * The size of a slab, which holds about thirty tokens. A slab stays in memory as long as one of its texts does. Smaller
 * slabs waste more at their ends (with 16 kB, 100,000 tokens take 10 MB more); larger slabs waste more after most of
 * their texts have gone.
 */
const SLAB_BYTES = 32 * 1_024;

/**
 * A text of Latin-1 characters in memory that the garbage collector neither moves nor counts, packed where it is a JWT.
 * Each reading makes a new string, which takes one to three microseconds for 1.5 kB. The text is in a private field, so
 * that no log line or error can show it by accident.
 *
 * Texts are written one after the other into a slab that all of the process share, because a buffer for each text would
 * cost more on the heap than it saves.
 */
export class OffHeapText {
  static #newest = Buffer.alloc(0);
  static #used = 0;
  readonly #slab: Buffer;
  readonly #from: number;

  /** @param text one that is off the heap already shares its bytes */
  constructor(text: string | OffHeapText) {
    if (text instanceof OffHeapText) {
      this.#slab = text.#slab;
      this.#from = text.#from;
      return;
    }
    const packed = packText(text);
    if (OffHeapText.#used + packed.length > OffHeapText.#newest.length) {
      OffHeapText.#newest = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, packed.length));
      OffHeapText.#used = 0;
    }
    this.#slab = OffHeapText.#newest;
    this.#from = OffHeapText.#used;
    OffHeapText.#used += packed.copy(this.#slab, this.#from);
  }

  read(): string {
    return unpackText(this.#slab, this.#from);
  }
}

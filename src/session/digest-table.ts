/** What {@link DigestTable} is a table of: a SHA-256 as 32 characters of Latin-1, one for each byte. */
export type Digest = string;

/** Words of 32 bits in a digest. */
const DIGEST_WORDS = 8;

/** Where an entry's links stand in its record, after its digest. */
const NEXT_IN_BUCKET = DIGEST_WORDS;
const OLDER = DIGEST_WORDS + 1;
const NEWER = DIGEST_WORDS + 2;
const RECORD_WORDS = DIGEST_WORDS + 3;

/** No entry. Its record holds the two ends of the list of use: its `OLDER` is the newest entry, its `NEWER` the oldest. */
const NONE = 0;

/** For how many entries there is room at first. */
const FIRST_ROOM = 1_024;

/** When a free entry ends, and one that ends later than a word can say; minutes. */
const NEVER = 0x7fff_ffff;

/**
 * A table by SHA-256 that knows which of its entries was used least recently, and which have ended. A look-up compares the
 * whole digest.
 *
 * Digests and links are words in one array. A `Map` would take 0.1 kB more for each entry, and V8 looks a text that
 * it has not seen before up among all the texts it knows before a `Map` gets it, which takes longer than the rest.
 */
export class DigestTable<T> {
  readonly #maxSize: number;
  readonly #values: (T | undefined)[] = [undefined];
  #records: Int32Array;
  /** The minute in which each entry ends, apart from the records because {@link DigestTable.removeEnded} reads them all. */
  #endMinutes: Int32Array;
  /** No entry ends before this minute. */
  #firstEndMinute = NEVER;
  /** The first entry of each bucket, which the first word of the digest chooses; a power of two of them. */
  #buckets: Int32Array;
  /** The first entry that was removed, which leads to the next as in a bucket. */
  #firstFree = NONE;
  #size = 0;

  /** @param maxSize the most entries that there will be at a time */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
    const room = Math.min(FIRST_ROOM, maxSize);
    this.#records = new Int32Array((room + 1) * RECORD_WORDS);
    this.#endMinutes = new Int32Array(room + 1).fill(NEVER);
    this.#buckets = new Int32Array(powerOfTwo(room));
  }

  get size(): number {
    return this.#size;
  }

  /** Finds a value, which is then the one used last. */
  find(digest: Digest): T | undefined {
    const entry = this.#locate(digest);
    if (entry === NONE) {
      return undefined;
    }
    this.#noteUse(entry);
    return this.#values[entry];
  }

  /**
   * Adds a value, which is then the one used last. The table must not have one under this digest: it would find that one
   * again when the new one is removed.
   *
   * @param endMinute minutes since the epoch, for {@link DigestTable.removeEnded}
   * @throws {RangeError} when the table is full
   */
  add(digest: Digest, value: T, endMinute: number): void {
    const entry = this.#takeFree();
    const start = entry * RECORD_WORDS;
    for (let word = 0; word < DIGEST_WORDS; word += 1) {
      this.#records[start + word] = readWord(digest, word);
    }
    this.#values[entry] = value;
    this.#endMinutes[entry] = Math.min(endMinute, NEVER);
    this.#firstEndMinute = Math.min(this.#firstEndMinute, endMinute);
    this.#putInBucket(entry);
    this.#linkAsNewest(entry);
    this.#size += 1;
  }

  /** Removes a value, if the table has it. */
  remove(digest: Digest): void {
    const entry = this.#locate(digest);
    if (entry !== NONE) {
      this.#free(entry);
    }
  }

  /** Removes the value that was used least recently, and returns its digest; `undefined` when there is none. */
  removeOldest(): Digest | undefined {
    const oldest = this.#linkOf(NONE, NEWER);
    return oldest === NONE ? undefined : this.#removeEntry(oldest);
  }

  /**
   * Removes entries that ended before a minute, and returns their digests. When any has ended, it looks at the minute of
   * each, which takes 50 to 200 µs for 100,000.
   *
   * @param most how many it removes at most
   */
  removeEnded(minute: number, most: number): readonly Digest[] {
    const removed: Digest[] = [];
    if (minute <= this.#firstEndMinute) {
      return removed;
    }
    let firstEndMinute = NEVER;
    for (let entry = 1; entry < this.#values.length; entry += 1) {
      const endMinute = this.#endMinutes[entry] ?? NEVER;
      if (endMinute >= minute || endMinute === NEVER) {
        firstEndMinute = Math.min(firstEndMinute, endMinute);
      } else if (removed.length === most) {
        return removed;
      } else {
        removed.push(this.#removeEntry(entry));
      }
    }
    this.#firstEndMinute = firstEndMinute;
    return removed;
  }

  #locate(digest: Digest): number {
    let entry = this.#buckets[this.#bucketOf(readWord(digest, 0))] ?? NONE;
    while (entry !== NONE && !this.#hasDigest(entry, digest)) {
      entry = this.#linkOf(entry, NEXT_IN_BUCKET);
    }
    return entry;
  }

  #hasDigest(entry: number, digest: Digest): boolean {
    const start = entry * RECORD_WORDS;
    for (let word = 0; word < DIGEST_WORDS; word += 1) {
      if (this.#records[start + word] !== readWord(digest, word)) {
        return false;
      }
    }
    return true;
  }

  #removeEntry(entry: number): Digest {
    const start = entry * RECORD_WORDS;
    const digest = writeWords(this.#records.subarray(start, start + DIGEST_WORDS));
    this.#free(entry);
    return digest;
  }

  #free(entry: number): void {
    this.#takeOutOfBucket(entry);
    this.#unlink(entry);
    this.#values[entry] = undefined;
    this.#endMinutes[entry] = NEVER;
    this.#setLink(entry, NEXT_IN_BUCKET, this.#firstFree);
    this.#firstFree = entry;
    this.#size -= 1;
  }

  #takeFree(): number {
    const free = this.#firstFree;
    if (free !== NONE) {
      this.#firstFree = this.#linkOf(free, NEXT_IN_BUCKET);
      return free;
    }
    if (this.#size === this.#maxSize) {
      throw new RangeError(`There is no room for more than ${this.#maxSize} entries.`);
    }
    if (this.#values.length === this.#endMinutes.length) {
      this.#grow();
    }
    return this.#values.push(undefined) - 1;
  }

  /** Doubles the room, up to the most that is needed. */
  #grow(): void {
    const room = Math.min(2 * this.#size, this.#maxSize);
    const records = new Int32Array((room + 1) * RECORD_WORDS);
    records.set(this.#records);
    this.#records = records;
    const endMinutes = new Int32Array(room + 1).fill(NEVER);
    endMinutes.set(this.#endMinutes);
    this.#endMinutes = endMinutes;
    this.#buckets = new Int32Array(powerOfTwo(room));
    // Nothing is free while the table grows, so that each of these is in use.
    for (let entry = 1; entry < this.#values.length; entry += 1) {
      this.#putInBucket(entry);
    }
  }

  #bucketOf(firstWord: number): number {
    return firstWord & (this.#buckets.length - 1);
  }

  #putInBucket(entry: number): void {
    const bucket = this.#bucketOf(this.#firstWordOf(entry));
    this.#setLink(entry, NEXT_IN_BUCKET, this.#buckets[bucket] ?? NONE);
    this.#buckets[bucket] = entry;
  }

  #takeOutOfBucket(entry: number): void {
    const bucket = this.#bucketOf(this.#firstWordOf(entry));
    const next = this.#linkOf(entry, NEXT_IN_BUCKET);
    let before = this.#buckets[bucket] ?? NONE;
    if (before === entry) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#linkOf(before, NEXT_IN_BUCKET) !== entry) {
      before = this.#linkOf(before, NEXT_IN_BUCKET);
    }
    this.#setLink(before, NEXT_IN_BUCKET, next);
  }

  #noteUse(entry: number): void {
    if (this.#linkOf(NONE, OLDER) !== entry) {
      this.#unlink(entry);
      this.#linkAsNewest(entry);
    }
  }

  #linkAsNewest(entry: number): void {
    const older = this.#linkOf(NONE, OLDER);
    this.#setLink(entry, OLDER, older);
    this.#setLink(entry, NEWER, NONE);
    this.#setLink(older, NEWER, entry);
    this.#setLink(NONE, OLDER, entry);
  }

  #unlink(entry: number): void {
    const older = this.#linkOf(entry, OLDER);
    const newer = this.#linkOf(entry, NEWER);
    this.#setLink(older, NEWER, newer);
    this.#setLink(newer, OLDER, older);
  }

  #firstWordOf(entry: number): number {
    return this.#records[entry * RECORD_WORDS] ?? 0;
  }

  #linkOf(entry: number, place: number): number {
    return this.#records[entry * RECORD_WORDS + place] ?? NONE;
  }

  #setLink(entry: number, place: number, other: number): void {
    this.#records[entry * RECORD_WORDS + place] = other;
  }
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

function readWord(digest: Digest, word: number): number {
  const at = 4 * word;
  return (
    digest.charCodeAt(at) |
    (digest.charCodeAt(at + 1) << 8) |
    (digest.charCodeAt(at + 2) << 16) |
    (digest.charCodeAt(at + 3) << 24)
  );
}

function writeWords(words: Int32Array): Digest {
  let digest = '';
  for (const word of words) {
    digest += String.fromCharCode(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
  }
  return digest;
}

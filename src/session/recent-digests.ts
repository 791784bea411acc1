/** How many assertions are remembered at most, 1.5 kB each; a power of two. */
const SLOTS = 1_024;

/** How many characters are hashed for the slot: those of a signature are as good as random. */
const TAG_LENGTH = 8;

/** The last characters of a signature choose nothing, because they have too few values. */
const TAG_END = 2;

interface Kept {
  readonly assertion: string;
  readonly digest: string;
}

/**
 * The digests of assertions that come again and again, in a direct-mapped cache: comparing an assertion with one that was
 * seen before is a fraction of the work of hashing it. Only the whole text finds its digest. Assertions that share a slot
 * are hashed most of the time.
 *
 * An assertion is kept when it is offered twice with no other in between, because among thousands of users hardly any comes
 * again before its slot is taken, and its text would only outlive the young generation.
 */
export class RecentDigests {
  readonly #kept = Array.from<unknown, Kept | undefined>({ length: SLOTS }, () => undefined);
  /** The slots of what is kept, by digest. */
  readonly #slots = new Map<string, number>();
  /** Of the last assertion that was offered for the slot. */
  readonly #tags = new Int32Array(SLOTS);

  /** Finds the digest of an assertion that was kept; `undefined` for any other. */
  find(assertion: string): string | undefined {
    const kept = this.#kept[slotOf(tagOf(assertion))];
    return kept?.assertion === assertion ? kept.digest : undefined;
  }

  /** Keeps an assertion and its digest when the assertion is offered for the second time. */
  offer(assertion: string, digest: string): void {
    const tag = tagOf(assertion);
    const slot = slotOf(tag);
    if (this.#tags[slot] === tag) {
      this.forget(this.#kept[slot]?.digest ?? digest);
      this.#kept[slot] = { assertion, digest };
      this.#slots.set(digest, slot);
    } else {
      this.#tags[slot] = tag;
    }
  }

  /** Forgets the assertion with this digest, if it is kept. */
  forget(digest: string): void {
    const slot = this.#slots.get(digest);
    if (slot !== undefined) {
      this.#slots.delete(digest);
      this.#kept[slot] = undefined;
    }
  }
}

function tagOf(assertion: string): number {
  let tag = 0;
  const end = assertion.length - TAG_END;
  for (let at = Math.max(end - TAG_LENGTH, 0); at < end; at += 1) {
    tag = (Math.imul(tag, 31) + assertion.charCodeAt(at)) | 0;
  }
  return tag;
}

function slotOf(tag: number): number {
  return tag & (SLOTS - 1);
}

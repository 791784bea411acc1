import { GatewayError } from '../failures.ts';

/** Ends a body that has to make room. It is called at most once, when the bytes of the body are no longer counted. */
type Evict = (failure: GatewayError) => void;

/** The share of one body in the memory for all of them. */
export interface BodyShare {
  /**
   * Counts more bytes. Where there is no room for them, the body that has been arriving for the longest makes room.
   *
   * @throws {GatewayError} `overloaded`, when that is this one, or when none is arriving any more
   */
  grow(bytes: number): void;
  /**
   * Counts more bytes if there is room for them; no other body makes any.
   *
   * @returns false when there is no room
   */
  tryGrow(bytes: number): boolean;
  /** Marks the body as arrived: from now on it does not have to make room. */
  complete(): void;
  /** Gives all bytes back; a second call does nothing. */
  release(): void;
}

/** The least room for all bodies together. */
const MIN_ROOM_BYTES = 64 * 1_024 * 1_024;

/** Seconds until a caller that found no room may try again: bodies come and go quickly. */
const RETRY_AFTER_SECONDS = 1;

/** Decides the room for all held bodies together, in bytes: that of four of the largest, and never less than 64 MB. */
export function roomForBodies(bodyLimit: number): number {
  return Math.max(MIN_ROOM_BYTES, 4 * bodyLimit);
}

/**
 * Counts the bytes of all bodies that one process holds at a time, and keeps them below a limit. Only bytes that are
 * here count, never those that a caller announces: announcing costs nothing, and a few would lock out everyone. When
 * there is no room left, the body that has been arriving for the longest is ended: it is that of a caller that drips,
 * while the body of an honest one is here within moments.
 */
export class BodyMemory {
  readonly #limit: number;
  readonly #arriving = new Set<Share>();
  #held = 0;

  /** @param limit bytes of all bodies together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are counted now. */
  get held(): number {
    return this.#held;
  }

  /** Begins to count a body that is arriving. */
  open(evict: Evict): BodyShare {
    const share: Share = {
      bytes: 0,
      evict,
      tryGrow: (bytes) => {
        const fits = this.#held + bytes <= this.#limit;
        if (fits) {
          this.#held += bytes;
          share.bytes += bytes;
        }
        return fits;
      },
      grow: (bytes) => {
        while (!share.tryGrow(bytes)) {
          this.#makeRoom(share);
        }
      },
      complete: () => {
        this.#arriving.delete(share);
      },
      release: () => {
        this.#arriving.delete(share);
        this.#held -= share.bytes;
        share.bytes = 0;
      },
    };
    this.#arriving.add(share);
    return share;
  }

  #makeRoom(newcomer: Share): void {
    const failure = new GatewayError('overloaded', { retryAfter: RETRY_AFTER_SECONDS });
    // A set keeps its order, so the first has been arriving for the longest.
    const [longest = newcomer] = this.#arriving;
    if (longest === newcomer) {
      newcomer.release();
      throw failure;
    }
    longest.release();
    longest.evict(failure);
  }
}

interface Share extends BodyShare {
  bytes: number;
  readonly evict: Evict;
}

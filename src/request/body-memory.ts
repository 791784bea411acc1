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

/** Seconds until a caller that found no room may try again: bodies come and go quickly. */
const RETRY_AFTER_SECONDS = 1;

/** What the log says of a body for which there was no room. */
const NO_ROOM = {
  reason: 'there is no room for more bodies that are held',
  remedy: 'Run more replicas or workers, raise the memory limit of the container, or lower server.bodyLimit.',
};

/** A body that grows by so many bytes at once is looked at: beside the room for bodies, the process must have the memory. */
const LARGE_BYTES = 256 * 1_024;

/** What the log says when a body cannot be held, or read as JSON, for want of memory. */
const NO_MEMORY = {
  reason: 'the process has no memory left for this body, or for the JSON in it, which takes many times its size',
  remedy: 'Raise the memory limit of the container, or lower server.bodyLimit; see docs/operate/memory.md.',
};

/**
 * Counts the bytes of all bodies that one process holds at a time, and keeps them below a limit. Only bytes that are
 * here count, never those that a caller announces: announcing costs nothing, and a few would lock out everyone. When
 * there is no room left, the body that has been arriving for the longest is ended: it is that of a caller that drips,
 * while the body of an honest one is here within moments.
 */
export class BodyMemory {
  /** Bytes of all bodies together; bodies that are held above a new limit stay. */
  limit: number;
  readonly #arriving = new Set<Share>();
  readonly #hasRoomFor: (bytes: number) => boolean;
  #held = 0;

  /**
   * @param limit bytes of all bodies together
   * @param hasRoomFor tells whether the process has so many bytes for what is made of a body; default always
   */
  constructor(limit: number, hasRoomFor: (bytes: number) => boolean = () => true) {
    this.limit = limit;
    this.#hasRoomFor = hasRoomFor;
  }

  /** Bytes that are counted now. */
  get held(): number {
    return this.#held;
  }

  /**
   * To be called before something large is made of a body.
   *
   * @param bytes what that takes at most
   * @throws {GatewayError} `overloaded`, when the process has not so much memory left
   */
  demandRoom(bytes: number): void {
    if (!this.#hasRoomFor(bytes)) {
      throw noMemory();
    }
  }

  /** Begins to count a body that is arriving. */
  open(evict: Evict): BodyShare {
    const share: Share = {
      bytes: 0,
      evict,
      tryGrow: (bytes) => {
        const fits = this.#held + bytes <= this.limit;
        if (fits) {
          this.#held += bytes;
          share.bytes += bytes;
        }
        return fits;
      },
      grow: (bytes) => {
        if (bytes >= LARGE_BYTES && !this.#hasRoomFor(bytes)) {
          // Ending other bodies would not help: what they held is free only after a collection.
          share.release();
          throw noMemory();
        }
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
    const failure = new GatewayError('overloaded', { retryAfter: RETRY_AFTER_SECONDS, log: NO_ROOM });
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

function noMemory(): GatewayError {
  return new GatewayError('overloaded', { retryAfter: RETRY_AFTER_SECONDS, log: NO_MEMORY });
}

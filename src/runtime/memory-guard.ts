import { readAnonymousMemory } from './anonymous-memory.ts';
import { collectGarbage } from './v8-heap.ts';

/** What can make room. */
export interface Sheddable {
  /** How many there are. */
  readonly size: number;
  /** How many there may be; setting it below {@link Sheddable.size} removes those that were not used for the longest. */
  capacity: number;
  /** How many there may be where memory is not short. */
  readonly maxSize: number;
}

/** What {@link MemoryGuard} works with. */
export interface MemoryGuardOptions {
  /** What the process may take; bytes. */
  readonly limitBytes: number;
  readonly sessions: Sheddable;
  /** Milliseconds on the monotonic clock. */
  readonly monotonicMs: () => number;
  /** Called when sessions had to make room, at most once a minute. */
  readonly onShed: (report: { readonly usedBytes: number; readonly sessions: number }) => void;
  /**
   * True in the process of an application: its heap is its own business, so that sessions go without a collection before.
   * Default false.
   */
  readonly sharesProcess?: boolean;
  /** Bytes that the process takes; default those of this process without the pages of files. */
  readonly readMemory?: () => number;
  /** Default V8's full collection. */
  readonly collect?: () => void;
}

/** The share of the limit from which on memory is short: the rest is for program pages and what comes within a second. */
const SHORT_SHARE = 0.8;

/** The share of the limit below which there may be more sessions again. */
const CALM_SHARE = 0.75;

/** The share by which memory has to grow after sessions went, before more of them go. */
const GROWTH_SHARE = 0.02;

/** The share of the limit from which on sessions go whether or not memory grew since others went. */
const LAST_SHARE = 0.9;

/** The share of the limit that a request may fill with what it makes at once. */
const FULL_SHARE = 0.9;

/** Milliseconds between two collections that the guard asks for: each stops every request for a moment. */
const COLLECTION_PAUSE_MS = 5_000;

/** The share of the sessions that stays when memory is short after a collection. */
const KEPT_SHARE = 0.75;

/** By how much the number of sessions may grow again with each look. */
const REGROWTH = 1.05;

/** Milliseconds between two collections that requests ask for, so that nobody can keep the process collecting. */
const ROOM_COLLECTION_PAUSE_MS = 200;

/** However short memory is, so many sessions stay: they take a megabyte or two, while without them each call costs an exchange. */
const MIN_SESSIONS = 100;

/** Milliseconds between two reports. */
const REPORT_PAUSE_MS = 60_000;

/**
 * Keeps the process below its memory limit, for which the kernel would end it: when memory becomes short, V8 collects all
 * garbage; when that is not enough, the least recently used sessions go, whose callers cost one exchange when they come
 * again. Freed memory mostly stays with the process, where it serves the next sessions. So more of them go only when memory
 * has grown since (measured without that rule, with tokens of 16 kB at 128 MiB: 15 sessions were left), and their number
 * stays lowered until memory is no longer short.
 */
export class MemoryGuard {
  readonly #options: Required<MemoryGuardOptions>;
  /** From how many bytes on memory is short. */
  #shortAt: number;
  #collectedAt = -COLLECTION_PAUSE_MS;
  #collectedForRoomAt = -ROOM_COLLECTION_PAUSE_MS;
  #reportedAt = -REPORT_PAUSE_MS;

  constructor(options: MemoryGuardOptions) {
    this.#shortAt = options.limitBytes * SHORT_SHARE;
    this.#options = { readMemory: readAnonymousMemory, collect: collectGarbage, sharesProcess: false, ...options };
  }

  /** Looks at the memory, and makes room if it is short; to be called about once a second. */
  check(): void {
    const { limitBytes, readMemory, sessions } = this.#options;
    const usedBytes = readMemory();
    if (usedBytes >= this.#shortAt) {
      this.#makeRoom();
    } else if (usedBytes < limitBytes * CALM_SHARE && sessions.capacity < sessions.maxSize) {
      this.#shortAt = limitBytes * SHORT_SHARE;
      sessions.capacity = Math.min(sessions.maxSize, Math.ceil(sessions.capacity * REGROWTH));
    }
  }

  /**
   * Tells whether a request may make so many bytes of objects at once. When they do not fit, V8 collects first; no session
   * goes, because one caller could take those of all others.
   */
  hasRoomFor(bytes: number): boolean {
    if (this.#fits(bytes)) {
      return true;
    }
    const { collect, monotonicMs } = this.#options;
    const now = monotonicMs();
    if (now - this.#collectedForRoomAt < ROOM_COLLECTION_PAUSE_MS) {
      return false;
    }
    this.#collectedForRoomAt = now;
    collect();
    return this.#fits(bytes);
  }

  #fits(bytes: number): boolean {
    const { readMemory, limitBytes } = this.#options;
    return readMemory() + bytes <= limitBytes * FULL_SHARE;
  }

  #makeRoom(): void {
    const { limitBytes, readMemory, collect, sharesProcess, sessions, monotonicMs, onShed } = this.#options;
    const now = monotonicMs();
    if (now - this.#collectedAt < COLLECTION_PAUSE_MS) {
      // What went away since the last collection is still counted, so only what comes is kept in bounds.
      sessions.capacity = Math.min(sessions.capacity, Math.max(sessions.size, MIN_SESSIONS));
      return;
    }
    this.#collectedAt = now;
    if (!sharesProcess) {
      collect();
    }
    const usedBytes = readMemory();
    if (usedBytes < this.#shortAt) {
      return;
    }
    this.#shortAt = Math.min(usedBytes + limitBytes * GROWTH_SHARE, limitBytes * LAST_SHARE);
    sessions.capacity = Math.min(sessions.capacity, Math.max(Math.floor(sessions.size * KEPT_SHARE), MIN_SESSIONS));
    if (now - this.#reportedAt >= REPORT_PAUSE_MS) {
      this.#reportedAt = now;
      onShed({ usedBytes, sessions: sessions.size });
    }
  }
}

import type { DestinationStream } from 'pino';
import { LineBlock, takesAtMost } from './line-block.ts';

/** What the output does with lines that cannot be written now: lose and count them, or make the whole process wait. */
export type WhenBlocked = 'drop' | 'wait';

/** What the log is written to. */
export interface Descriptor {
  /**
   * Writes what fits, without waiting.
   *
   * @returns how many bytes were written
   * @throws with the code `EAGAIN` when nothing fits because nobody reads, with another code when writing fails
   */
  write(data: Buffer): number;
}

/** How a log is written. */
export interface LogOutputOptions {
  readonly whenBlocked: WhenBlocked;
  /** Members of the line that says how many lines were lost, which the lines of this process carry as well. */
  readonly bindings?: Readonly<Record<string, unknown>> | undefined;
  /** What it writes to, for the operator who reads of lost lines; default `standard output`. */
  readonly destination?: string | undefined;
  /** Bytes that are written at once at most; default {@link MAX_PIPE_WRITE_BYTES}. */
  readonly maxWriteBytes?: number | undefined;
}

/**
 * Bytes of log that are worth a write. The first write to a pipe wakes its reader, which costs 8 µs: in batches of 3 kB
 * that is 1.4 µs for each line, in batches of 24 kB less than 0.4.
 */
const BATCH_BYTES = 24 * 1_024;

/** Bytes of a block: a batch, and what a turn of the loop adds to it. */
const BLOCK_BYTES = 64 * 1_024;

/** Bytes that a pipe never tears apart, though several processes write to it (pipe(7)). */
const MAX_PIPE_WRITE_BYTES = 4 * 1_024;

/** Milliseconds after which a smaller batch is written, too. */
const BATCH_DELAY_MS = 100;

/** The most lines that may wait, and the most bytes. */
const MAX_LINES = 10_000;
const MAX_BYTES = 10 * 1_024 * 1_024;

/** Milliseconds until the next try while nobody reads; they double from try to try. */
const MIN_PAUSE_MS = 1;
const MAX_PAUSE_MS = 64;

/** Milliseconds until the next try after a write failed. */
const FAILURE_PAUSE_MS = 1_000;

/** Milliseconds between two tries of a process that waits, and does nothing else meanwhile. */
const SLEEP_MS = 5;

/** The code of a write that would have to wait. */
const UNREAD = 'EAGAIN';

/** What the line about lost lines says. */
const LOSSES = {
  unread: {
    why: 'nobody read the log',
    remedy: 'Look at what reads {destination}; `log.whenBlocked: wait` holds requests up instead of losing lines.',
  },
  unwritten: {
    why: 'the log could not be written',
    remedy: 'Look at where {destination} goes: a full disk, or a pipe that was closed.',
  },
} as const;

/**
 * Writes the lines of the log in batches of whole lines. With `drop` it never waits: of what nobody reads a bounded
 * part is kept, and the rest is lost and counted; so is what cannot be written. Once there is room again, a line says
 * how many were lost.
 */
export class LogOutput implements DestinationStream {
  /** What happens from now on to lines that cannot be written. */
  whenBlocked: WhenBlocked;
  readonly #descriptor: Descriptor;
  readonly #options: LogOutputOptions;
  readonly #waiting: LineBlock[] = [];
  /** An empty block, so that not every batch makes one. */
  #spare: LineBlock | undefined;
  #lines = 0;
  #bytes = 0;
  #dropped = 0;
  /**
   * Lost lines that no line reports yet. While there are any, all further ones are lost too, so that there is one gap.
   */
  #untold = 0;
  /** The code of the last write that failed. */
  #errorCode = '';
  #isPausing = false;
  #pauseMs = MIN_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(descriptor: Descriptor, options: LogOutputOptions) {
    this.#descriptor = descriptor;
    this.#options = options;
    this.whenBlocked = options.whenBlocked;
  }

  /** How many lines were lost so far. */
  get droppedLines(): number {
    return this.#dropped;
  }

  /**
   * Takes a line, with its line feed. A batch is written when the turn of the loop is over and its answers are on their
   * way; within the turn only where otherwise lines would be lost.
   */
  write(line: string): void {
    if (!this.#hasRoomFor(line) && !this.#isPausing) {
      this.flush();
    }
    if (this.#hasRoomFor(line)) {
      this.#append(line);
    } else {
      this.#lose(1);
    }
    if (this.#bytes >= BATCH_BYTES && !this.#isPausing) {
      this.#immediate ??= setImmediate(() => this.flush());
    } else {
      this.#timer ??= setTimeout(() => this.flush(), BATCH_DELAY_MS).unref();
    }
  }

  /** Writes what waits, as far as that goes without waiting; with `wait`, all of it. */
  flush(): void {
    while (!this.#tryWriting() && this.whenBlocked === 'wait') {
      sleep(SLEEP_MS);
    }
  }

  /** Writes what waits before the process ends; what takes longer than a time is lost. */
  end(timeoutMs: number): void {
    const end = performance.now() + timeoutMs;
    while (!this.#tryWriting() && performance.now() < end) {
      sleep(SLEEP_MS);
    }
    this.#stopTimers();
    for (const block of this.#waiting.splice(0)) {
      this.#dropped += block.cut();
    }
  }

  /** @returns false when nobody reads; what could not be written for another reason is lost */
  #tryWriting(): boolean {
    this.#stopTimers();
    this.#isPausing = false;
    try {
      while (this.#waiting.length > 0 || this.#untold > 0) {
        this.#tellLoss();
        this.#writeFirst();
        this.#pauseMs = MIN_PAUSE_MS;
      }
      return true;
    } catch (error) {
      this.#errorCode = String((error as NodeJS.ErrnoException).code);
      const isUnread = this.#errorCode === UNREAD;
      if (!isUnread) {
        this.#loseWaiting();
      }
      this.#pause(isUnread ? this.#pauseMs : FAILURE_PAUSE_MS);
      return !isUnread;
    }
  }

  #writeFirst(): void {
    const [block] = this.#waiting;
    if (block === undefined) {
      return;
    }
    const written = this.#descriptor.write(block.first(this.#options.maxWriteBytes ?? MAX_PIPE_WRITE_BYTES));
    block.remove(written);
    this.#bytes -= written;
    if (block.bytes === 0) {
      this.#waiting.shift();
      this.#lines -= block.lines;
      this.#keepForLater(block);
    }
  }

  #hasRoomFor(line: string): boolean {
    return this.#untold === 0 && this.#lines < MAX_LINES && takesAtMost(line, MAX_BYTES - this.#bytes);
  }

  #append(line: string): void {
    const last = this.#waiting.at(-1);
    const block = last?.lost === 0 && last.hasRoomFor(line) ? last : this.#addBlock(line);
    this.#bytes += block.add(line);
    this.#lines += 1;
  }

  #addBlock(line: string): LineBlock {
    const block = this.#spare?.hasRoomFor(line) === true ? this.#spare : new LineBlock(sizeFor(line));
    this.#spare = undefined;
    this.#waiting.push(block);
    return block;
  }

  #keepForLater(block: LineBlock): void {
    if (block.lost === 0 && block.sizeBytes === BLOCK_BYTES) {
      block.clear();
      this.#spare = block;
    }
  }

  #stopTimers(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  #pause(milliseconds: number): void {
    this.#isPausing = true;
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
    this.#timer = setTimeout(() => this.flush(), milliseconds).unref();
  }

  #lose(lines: number): void {
    this.#dropped += lines;
    this.#untold += lines;
  }

  /** Loses everything but the rest of a line that is half written, so that no line goes on in the middle of another. */
  #loseWaiting(): void {
    this.#lines = 0;
    this.#bytes = 0;
    for (const block of this.#waiting.splice(0)) {
      this.#lose(block.cut());
      if (block.bytes > 0) {
        this.#waiting.push(block);
        this.#bytes = block.bytes;
      } else {
        this.#untold += block.lost;
      }
    }
  }

  /** Puts a line in the place of those that were lost, once at least half of the room is free. */
  #tellLoss(): void {
    if (this.#untold === 0 || this.#lines > MAX_LINES / 2 || this.#bytes > MAX_BYTES / 2) {
      return;
    }
    const { why, remedy } = this.#errorCode === UNREAD ? LOSSES.unread : LOSSES.unwritten;
    const line = `${JSON.stringify({
      level: 'warn',
      time: new Date().toISOString(),
      ...this.#options.bindings,
      dropped: this.#untold,
      reason: this.#errorCode,
      remedy: remedy.replace('{destination}', this.#options.destination ?? 'standard output'),
      msg: `log lines were lost: ${why}`,
    })}\n`;
    const report = new LineBlock(Buffer.byteLength(line), this.#untold);
    this.#waiting.push(report);
    this.#bytes += report.add(line);
    this.#untold = 0;
  }
}

function sizeFor(line: string): number {
  return Math.max(BLOCK_BYTES, Buffer.byteLength(line));
}

/** Makes the whole thread wait. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

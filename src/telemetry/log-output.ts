import type { DestinationStream } from 'pino';

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
  write(data: string | Buffer): number;
}

/** How a log is written. */
export interface LogOutputOptions {
  readonly whenBlocked: WhenBlocked;
  /** Members of the line that says how many lines were lost, which the lines of this process carry as well. */
  readonly bindings?: Readonly<Record<string, unknown>> | undefined;
  /** What it writes to, for the operator who reads of lost lines; default `standard output`. */
  readonly destination?: string | undefined;
}

/** Bytes of log that are worth a write; a write for each line would be the most expensive system call of a request. */
const BATCH_BYTES = 3 * 1_024;

/** Bytes that are written at once at most: workers share one pipe, which tears longer writes apart (pipe(7)). */
const MAX_WRITE_BYTES = 4 * 1_024;

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

const LINE_FEED = 0x0a;

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

/** Whole lines that are written together, or the rest of such lines. */
interface Block {
  data: string | Buffer;
  bytes: number;
  lines: number;
  /** How many lost lines it reports. */
  readonly lost: number;
}

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
  readonly #waiting: Block[] = [];
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

  constructor(descriptor: Descriptor, options: LogOutputOptions) {
    this.#descriptor = descriptor;
    this.#options = options;
    this.whenBlocked = options.whenBlocked;
  }

  /** How many lines were lost so far. */
  get droppedLines(): number {
    return this.#dropped;
  }

  /** Takes a line, with its line feed. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#untold > 0 || this.#lines >= MAX_LINES || this.#bytes + bytes > MAX_BYTES) {
      this.#lose(1);
    } else {
      this.#append(line, { bytes, lines: 1, lost: 0 });
    }
    if (this.#bytes >= BATCH_BYTES && !this.#isPausing) {
      this.flush();
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
    clearTimeout(this.#timer);
    this.#dropped += this.#lines;
    this.#lines = 0;
  }

  /** @returns false when nobody reads; what could not be written for another reason is lost */
  #tryWriting(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
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
    const [first] = this.#waiting;
    if (first === undefined) {
      return;
    }
    const written = this.#descriptor.write(first.data);
    this.#bytes -= written;
    if (written >= first.bytes) {
      this.#waiting.shift();
      this.#lines -= first.lines;
    } else {
      first.data = Buffer.from(first.data as string).subarray(written);
      first.bytes -= written;
    }
  }

  #append(data: string, { bytes, lines, lost }: Omit<Block, 'data'>): void {
    const last = this.#waiting.at(-1);
    if (
      last !== undefined &&
      typeof last.data === 'string' &&
      last.lost === lost &&
      last.bytes + bytes <= MAX_WRITE_BYTES
    ) {
      last.data += data;
      last.bytes += bytes;
      last.lines += lines;
    } else {
      this.#waiting.push({ data, bytes, lines, lost });
    }
    this.#bytes += bytes;
    this.#lines += lines;
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
    const blocks = this.#waiting.splice(0);
    const torn = blocks[0]?.data;
    this.#lines = 0;
    this.#bytes = 0;
    if (typeof torn === 'object') {
      blocks.shift();
      const rest = torn.subarray(0, torn.indexOf(LINE_FEED) + 1);
      this.#waiting.push({ data: rest, bytes: rest.length, lines: 0, lost: 0 });
      this.#bytes = rest.length;
      this.#lose(countLines(torn) - 1);
    }
    for (const { lines, lost } of blocks) {
      this.#lose(lines);
      this.#untold += lost;
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
    this.#append(line, { bytes: Buffer.byteLength(line), lines: 0, lost: this.#untold });
    this.#untold = 0;
  }
}

function countLines(data: Buffer): number {
  let lines = 0;
  for (let at = data.indexOf(LINE_FEED); at !== -1; at = data.indexOf(LINE_FEED, at + 1)) {
    lines += 1;
  }
  return lines;
}

/** Makes the whole thread wait. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** UTF-8 takes at most that many bytes for one unit of a text's length. */
const MAX_BYTES_PER_UNIT = 3;

const LINE_FEED = 0x0a;

/** Lines of a log that wait to be written, as bytes in one buffer; or the one line that reports lost ones. */
export class LineBlock {
  /** How many lost lines it reports; 0 for a block of other lines. */
  readonly lost: number;
  readonly #buffer: Buffer;
  #lines = 0;
  #start = 0;
  #end = 0;

  /** @param sizeBytes what it holds at most */
  constructor(sizeBytes: number, lost = 0) {
    this.lost = lost;
    this.#buffer = Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** What it holds at most. */
  get sizeBytes(): number {
    return this.#buffer.length;
  }

  /** How many lines were added; a report is none. */
  get lines(): number {
    return this.lost > 0 ? 0 : this.#lines;
  }

  /** Bytes that still wait. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /** True where a line still fits. */
  hasRoomFor(line: string): boolean {
    return takesAtMost(line, this.#buffer.length - this.#end);
  }

  /**
   * Adds a line for which there is room. Its letters become bytes at once: lines that are joined as texts first are
   * measured and copied twice more.
   *
   * @returns its bytes
   */
  add(line: string): number {
    const bytes = this.#buffer.write(line, this.#end);
    this.#end += bytes;
    this.#lines += 1;
    return bytes;
  }

  /** The first lines that together are no longer than this; a line that is longer by itself comes alone. */
  first(maxBytes: number): Buffer {
    if (this.bytes <= maxBytes) {
      return this.#buffer.subarray(this.#start, this.#end);
    }
    const last = this.#buffer.lastIndexOf(LINE_FEED, this.#start + maxBytes - 1);
    const end = last < this.#start ? this.#endOfLine(this.#start) : last + 1;
    return this.#buffer.subarray(this.#start, end);
  }

  /** Takes away bytes that were written. */
  remove(bytes: number): void {
    this.#start += bytes;
  }

  /** Makes room for other lines. */
  clear(): void {
    this.#lines = 0;
    this.#start = 0;
    this.#end = 0;
  }

  /**
   * Takes away all lines but the rest of one that is half written.
   *
   * @returns how many were taken away; a report is none
   */
  cut(): number {
    const isTorn = this.#start > 0 && this.#buffer[this.#start - 1] !== LINE_FEED;
    const start = isTorn ? this.#endOfLine(this.#start) : this.#start;
    let lines = 0;
    for (let at = start; at < this.#end; at = this.#endOfLine(at)) {
      lines += 1;
    }
    this.#end = start;
    this.#lines = 0;
    return this.lost > 0 ? 0 : lines;
  }

  #endOfLine(at: number): number {
    return this.#buffer.indexOf(LINE_FEED, at) + 1;
  }
}

/** True for a text that takes no more bytes than this. It is measured only where its length leaves that open. */
export function takesAtMost(text: string, bytes: number): boolean {
  return text.length * MAX_BYTES_PER_UNIT <= bytes || Buffer.byteLength(text) <= bytes;
}

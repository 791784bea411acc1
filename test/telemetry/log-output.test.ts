import { describe, expect, it } from '@jest/globals';
import { LogOutput } from '../../src/telemetry/log-output.ts';

/** A descriptor that takes as much as it is told to. */
class Reader {
  /** Bytes that still fit; a code when writing fails. */
  room: number | string = Number.POSITIVE_INFINITY;
  readonly writes: string[] = [];

  write(data: Buffer): number {
    if (typeof this.room === 'string' || this.room === 0) {
      throw Object.assign(new Error('write'), { code: this.room === 0 ? 'EAGAIN' : this.room });
    }
    const taken = Buffer.from(data).subarray(0, this.room);
    this.room -= taken.length;
    this.writes.push(taken.toString());
    return taken.length;
  }

  /** The lines that arrived. */
  get lines(): string[] {
    return this.writes.join('').split('\n').slice(0, -1);
  }
}

function open(bindings?: Record<string, unknown>): { output: LogOutput; reader: Reader } {
  const reader = new Reader();
  return { reader, output: new LogOutput(reader, { whenBlocked: 'drop', bindings }) };
}

/** Writes numbered lines of a hundred bytes. */
function writeLines(output: LogOutput, from: number, to: number): void {
  for (let number = from; number < to; number += 1) {
    output.write(`${String(number).padEnd(99, '.')}\n`);
  }
}

/** The numbers of numbered lines. */
function numbersOf(lines: readonly string[]): number[] {
  return lines.filter((line) => line.length === 99).map((line) => Number.parseInt(line, 10));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('lines that are read', () => {
  it('are written in batches of whole lines that a pipe does not tear', () => {
    const { output, reader } = open();
    writeLines(output, 0, 1_000);
    output.flush();
    expect(numbersOf(reader.lines)).toEqual(range(0, 1_000));
    expect(reader.writes.filter((text) => Buffer.byteLength(text) > 4_096 || !text.endsWith('\n'))).toEqual([]);
    expect(reader.writes.length).toBeLessThan(40);
  });

  it('are written when the turn is over, so that its answers go out first', async () => {
    const { output, reader } = open();
    writeLines(output, 0, 1_000);
    expect(reader.writes).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(numbersOf(reader.lines)).toEqual(range(0, 1_000));
  });

  it('are written within a turn that makes more than may wait', () => {
    const { output, reader } = open();
    writeLines(output, 0, 25_000);
    output.flush();
    expect([numbersOf(reader.lines), output.droppedLines]).toEqual([range(0, 25_000), 0]);
  });

  it('are written in one piece where nobody else writes', () => {
    const reader = new Reader();
    const output = new LogOutput(reader, { whenBlocked: 'drop', maxWriteBytes: Number.POSITIVE_INFINITY });
    writeLines(output, 0, 600);
    output.flush();
    expect([numbersOf(reader.lines), reader.writes.length]).toEqual([range(0, 600), 1]);
  });

  it('are written whole also when one is longer than all limits', () => {
    const { output, reader } = open();
    const long = '😀'.repeat(50_000);
    writeLines(output, 0, 10);
    output.write(`${long}\n`);
    writeLines(output, 10, 20);
    output.flush();
    expect(numbersOf(reader.lines)).toEqual(range(0, 20));
    expect(reader.writes).toContain(`${long}\n`);
  });

  it('are measured in bytes, whatever letters they are made of', () => {
    const { output, reader } = open();
    for (let count = 0; count < 100; count += 1) {
      output.write(`${'文'.repeat(99)}\n`);
    }
    output.flush();
    expect(reader.lines).toHaveLength(100);
    expect(reader.writes.filter((text) => Buffer.byteLength(text) > 4_096)).toEqual([]);
  });

  it('arrive whole also when each write takes a part', () => {
    const { output, reader } = open();
    writeLines(output, 0, 100);
    for (let write = 0; write < 300; write += 1) {
      reader.room = 70;
      output.flush();
    }
    expect(numbersOf(reader.lines)).toEqual(range(0, 100));
  });
});

describe('lines that nobody reads', () => {
  it('wait, ten thousand of them, and then are lost and counted', () => {
    const { output, reader } = open();
    reader.room = 0;
    writeLines(output, 0, 12_345);
    expect([output.droppedLines, reader.writes]).toEqual([2_345, []]);
  });

  it('wait up to ten megabytes', () => {
    const { output, reader } = open();
    reader.room = 0;
    for (let count = 0; count < 25; count += 1) {
      output.write(`${'x'.repeat(1_024 * 1_024 - 1)}\n`);
    }
    expect(output.droppedLines).toBe(15);
    reader.room = Number.POSITIVE_INFINITY;
    output.flush();
    expect(reader.lines).toHaveLength(11);
  });

  it('leave one gap, and a line in its place that says how many were lost, and what to do', () => {
    const { output, reader } = open({ worker: 2 });
    reader.room = 0;
    writeLines(output, 0, 10_500);
    reader.room = 100 * 100;
    output.flush();
    // Little room is no room yet.
    writeLines(output, 10_500, 10_600);
    reader.room = Number.POSITIVE_INFINITY;
    output.flush();
    writeLines(output, 10_600, 10_700);
    output.flush();
    expect(numbersOf(reader.lines)).toEqual([...range(0, 10_000), ...range(10_600, 10_700)]);
    expect(JSON.parse(reader.lines[10_000] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      worker: 2,
      dropped: 600,
      reason: 'EAGAIN',
      remedy: expect.stringContaining('log.whenBlocked'),
      msg: 'log lines were lost: nobody read the log',
    });
    expect(output.droppedLines).toBe(600);
  });

  it('come all, when the reader was only slow', () => {
    const { output, reader } = open();
    reader.room = 0;
    writeLines(output, 0, 9_999);
    reader.room = Number.POSITIVE_INFINITY;
    output.flush();
    expect([numbersOf(reader.lines), output.droppedLines]).toEqual([range(0, 9_999), 0]);
  });

  it('do not keep a process from ending', () => {
    const { output, reader } = open();
    reader.room = 0;
    writeLines(output, 0, 10);
    output.end(20);
    expect(reader.writes).toEqual([]);
  });
});

describe.each(['ENOSPC', 'EPIPE', 'EIO'])('lines that cannot be written (%s)', (code) => {
  it('are lost at once and counted, and told of when writing works again', () => {
    const { output, reader } = open();
    writeLines(output, 0, 10);
    output.flush();
    reader.room = code;
    writeLines(output, 10, 60);
    output.flush();
    output.flush();
    reader.room = Number.POSITIVE_INFINITY;
    output.flush();
    writeLines(output, 60, 70);
    output.flush();
    expect([numbersOf(reader.lines), output.droppedLines]).toEqual([[...range(0, 10), ...range(60, 70)], 50]);
    expect(JSON.parse(reader.lines[10] ?? '')).toMatchObject({ level: 'warn', dropped: 50, reason: code });
  });

  it('never go on in the middle of another', () => {
    const { output, reader } = open();
    writeLines(output, 0, 20);
    reader.room = 250;
    output.flush();
    reader.room = code;
    output.flush();
    reader.room = Number.POSITIVE_INFINITY;
    output.flush();
    writeLines(output, 20, 21);
    output.flush();
    expect([numbersOf(reader.lines), output.droppedLines]).toEqual([[0, 1, 2, 20], 17]);
    expect(reader.lines).toHaveLength(5);
  });

  it('end with the process', () => {
    const { output, reader } = open();
    reader.room = code;
    writeLines(output, 0, 10);
    output.end(60_000);
    expect(output.droppedLines).toBe(10);
  });
});

describe('with whenBlocked: wait', () => {
  it('whoever writes waits until there is room, and nothing is lost', () => {
    const reader = new Reader();
    const output = new LogOutput(reader, { whenBlocked: 'wait' });
    reader.room = 0;
    let refusals = 0;
    const write = reader.write.bind(reader);
    reader.write = (data) => {
      refusals += 1;
      reader.room = refusals % 3 === 0 ? Number.POSITIVE_INFINITY : 0;
      return write(data);
    };
    writeLines(output, 0, 11_000);
    output.flush();
    expect([numbersOf(reader.lines), output.droppedLines]).toEqual([range(0, 11_000), 0]);
  });

  it('a disk that is full loses lines all the same: nothing is gained by waiting for it', () => {
    const reader = new Reader();
    reader.room = 'ENOSPC';
    const output = new LogOutput(reader, { whenBlocked: 'wait' });
    writeLines(output, 0, 100);
    output.flush();
    expect(output.droppedLines).toBe(100);
  });
});

import { readFileSync } from 'node:fs';

/** What all processors together did since the machine started, in ticks; `NaN` where the kernel tells no number. */
export interface ProcessorTimes {
  readonly busy: number;
  /** What the hypervisor gave to other machines while this one had work to do. */
  readonly stolen: number;
}

/** Reads what the processors did until now. */
export function readProcessorTimes(): ProcessorTimes {
  return parseProcessorTimes(readFileSync('/proc/stat', 'utf8'));
}

/** Reads the first line of `/proc/stat`, see proc_stat(5). What guests of this machine took is in `user` already. */
export function parseProcessorTimes(stat: string): ProcessorTimes {
  const [first = ''] = stat.split('\n', 1);
  const columns = first.trim().split(/\s+/).slice(1).map(Number);
  const [user = Number.NaN, nice = Number.NaN, system = Number.NaN, , , irq = 0, softirq = 0, stolen = 0] = columns;
  return { busy: user + nice + system + irq + softirq, stolen };
}

/** Two readings, before something was done and after it. */
export interface Span {
  readonly before: ProcessorTimes;
  readonly after: ProcessorTimes;
}

/**
 * The share of the time that the processors were wanted in which others had them, from 0 to 1, of all spans together;
 * `undefined` where a reading was no number.
 */
export function shareStolen(spans: readonly Span[]): number | undefined {
  const stolen = sum(spans, (times) => times.stolen);
  const wanted = sum(spans, ({ busy }) => busy) + stolen;
  const share = wanted === 0 ? 0 : stolen / wanted;
  return Number.isNaN(share) ? undefined : share;
}

function sum(spans: readonly Span[], read: (times: ProcessorTimes) => number): number {
  return spans.reduce((total, { before, after }) => total + read(after) - read(before), 0);
}

import { readFileSync } from 'node:fs';

/** What all processors together did since the machine started, in ticks. */
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
  const columns = stat.slice(0, stat.indexOf('\n')).split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = columns;
  return { busy: user + nice + system + irq + softirq, stolen };
}

/** The share of the time that the processors were wanted in which others had them, from 0 to 1. */
export function shareStolen(before: ProcessorTimes, after: ProcessorTimes): number {
  const stolen = after.stolen - before.stolen;
  const wanted = after.busy - before.busy + stolen;
  return wanted === 0 ? 0 : stolen / wanted;
}

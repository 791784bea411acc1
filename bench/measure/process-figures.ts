import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Linux counts the time of processes in hundredths of a second (`getconf CLK_TCK`). */
const MILLISECONDS_PER_TICK = 10;

/** The CPU time that a process and those that it started took so far, in milliseconds. */
export function readCpuTime(pid: number): number {
  return listChildren(pid).reduce((sum, child) => sum + readCpuTime(child), readOwnCpuTime(pid));
}

/** A server's workers are started by its main thread, whose list this is. */
function listChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

function readOwnCpuTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in the second field may hold spaces; the fields after it are counted from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * MILLISECONDS_PER_TICK;
}

/** The resident memory of a process, in bytes. */
export function readResidentMemory(pid: number): number {
  return readStatus(pid, 'VmRSS');
}

/** The most resident memory that a process had since {@link resetPeakMemory}, in bytes. */
export function readPeakMemory(pid: number): number {
  return readStatus(pid, 'VmHWM');
}

/** Starts the peak anew at the memory of now. */
export function resetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function readStatus(pid: number, key: string): number {
  const [, kilobytes] =
    new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** Waits until a process has done next to nothing for a while, at most a minute; what it still has to do would disturb. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  let before = readCpuTime(pid);
  for (let calm = 0; calm < 2 && performance.now() < deadline;) {
    await pause(100);
    const now = readCpuTime(pid);
    calm = now - before <= MILLISECONDS_PER_TICK ? calm + 1 : 0;
    before = now;
  }
}

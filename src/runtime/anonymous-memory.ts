import { readFileSync } from 'node:fs';
import process from 'node:process';

/**
 * Reads how many bytes of memory the process has for itself: without the pages of files (its own program, mostly), which
 * the kernel drops when it needs room. Where there is no /proc, it is all of the resident memory.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
 */
export function readAnonymousMemory(): number {
  try {
    const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
    return kilobytes === undefined ? process.memoryUsage.rss() : Number(kilobytes) * 1_024;
  } catch {
    return process.memoryUsage.rss();
  }
}

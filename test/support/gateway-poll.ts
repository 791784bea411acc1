import { setTimeout as wait } from 'node:timers/promises';

/** Milliseconds; what a busy machine does late is not wrong. */
const PATIENCE = 20_000;

/** Waits until a condition holds, and says what was awaited when it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, patience = PATIENCE): Promise<void> {
  const deadline = performance.now() + patience;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error(`waited in vain until ${what}`);
    }
    await wait(5);
  }
}

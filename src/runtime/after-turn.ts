let due: (() => void)[] = [];

/**
 * Does something when the turn of the event loop is over, with all else that was put off in it: what waits for nothing goes
 * out in one go, then.
 *
 * A write to a reader on the same machine that sleeps has to wake it, which costs 2 to 6 µs on a virtual machine. Where each
 * write waits for the work on the next request, the reader falls asleep between any two. Where they follow each other, only
 * the first wakes it (measured: a warm small request took 35 µs of CPU instead of 42, side by side with a bare proxy at 27;
 * and 77 instead of 83 on another machine when the requests to downstreams followed each other as well as the answers).
 * The turn ends when every connection that had something to read was read, so that no answer waits for anything else.
 *
 * @param task must not throw
 */
export function afterTurn(task: () => void): void {
  if (due.push(task) === 1) {
    setImmediate(doAll);
  }
}

function doAll(): void {
  const tasks = due;
  due = [];
  for (const task of tasks) {
    task();
  }
}

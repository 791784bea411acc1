/**
 * Waits for work no longer than it may take; the work itself is not stopped.
 *
 * @param late makes the error of work that took too long
 */
export function within<T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(late());
    // One more turn, so that an answer which came while this process was busy is read first.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

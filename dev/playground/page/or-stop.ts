/**
 * Waits for something, but no longer than until the signal; what cannot be stopped goes on without anybody waiting.
 * @throws the signal's reason when it comes first
 */
export async function orStop<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, stopped]);
}

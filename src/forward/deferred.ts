/** A promise that is settled from outside, by callbacks. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: Error): void;
}

/** What `Promise.withResolvers` gives where Node 20 is gone. */
export function createDeferred<T>(): Deferred<T> {
  const deferred: Partial<Deferred<T>> = {};
  const promise = new Promise<T>((resolve, reject) => {
    Object.assign(deferred, { resolve, reject });
  });
  return Object.assign(deferred, { promise }) as Deferred<T>;
}

import type { Circuit } from '../circuit.ts';
import { RedisTimeout } from './trouble.ts';

/** How a command ended: it was not even sent while Redis fails every time. */
export type Attempt<T> = { readonly outcome: 'done'; readonly value: T } | { readonly outcome: 'failed' | 'skipped' };

/** Who wants to hear how commands end. */
export interface GuardListener {
  onSuccess(): void;
  /** Redis failed so often that it is left alone for a while. */
  onOpen(error: unknown): void;
}

/** Runs commands so that none throws, none takes longer than it may, and a Redis that always fails is left alone. */
export class Guard {
  readonly #circuit: Circuit;
  readonly #listener: GuardListener;

  constructor(circuit: Circuit, listener: GuardListener) {
    this.#circuit = circuit;
    this.#listener = listener;
  }

  /** @param patience milliseconds */
  async attempt<T>(patience: number, run: () => Promise<T>): Promise<Attempt<T>> {
    if (this.#circuit.waitBeforeCall() > 0) {
      return { outcome: 'skipped' };
    }
    try {
      const value = await within(patience, run());
      this.#circuit.recordSuccess();
      this.#listener.onSuccess();
      return { outcome: 'done', value };
    } catch (error) {
      this.#circuit.recordFailure();
      if (this.#circuit.waitBeforeCall() > 0) {
        this.#listener.onOpen(error);
      }
      return { outcome: 'failed' };
    }
  }

  /** Forgets the failures of a connection that is no more. */
  reset(): void {
    this.#circuit.recordSuccess();
  }
}

function within<T>(patience: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new RedisTimeout());
    // An answer that came while this process was busy is read before the verdict.
    const timer = setTimeout(() => setImmediate(giveUp), patience);
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

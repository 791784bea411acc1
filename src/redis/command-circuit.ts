import type { Circuit } from '../resilience/circuit-breaker.ts';
import { within } from '../resilience/deadline.ts';
import { RedisTimeout } from './redis-failure.ts';

/** How a command ended; `skipped` when it was not even sent, because Redis fails every time. */
export type CommandResult<T> =
  { readonly outcome: 'done'; readonly value: T } | { readonly outcome: 'failed' | 'skipped' };

/** What is called when commands end. */
export interface CommandListener {
  onSuccess(): void;
  /** Redis failed so often that it is left alone for a while. */
  onOpen(error: unknown): void;
}

/** Runs commands so that none throws, none takes longer than it may, and a Redis that always fails is left alone. */
export class CommandCircuit {
  readonly #circuit: Circuit;
  readonly #listener: CommandListener;

  constructor(circuit: Circuit, listener: CommandListener) {
    this.#circuit = circuit;
    this.#listener = listener;
  }

  /** Sends a command, unless Redis is left alone, and waits for its result. */
  async run<T>(timeoutMs: number, command: () => Promise<T>): Promise<CommandResult<T>> {
    if (this.#circuit.admit() > 0) {
      return { outcome: 'skipped' };
    }
    try {
      const value = await within(timeoutMs, command(), () => new RedisTimeout());
      this.#circuit.recordSuccess();
      this.#listener.onSuccess();
      return { outcome: 'done', value };
    } catch (error) {
      this.#circuit.recordFailure();
      if (this.#circuit.waitMs > 0) {
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

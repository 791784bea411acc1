import type { Circuit } from '../resilience/circuit-breaker.ts';
import { within } from '../resilience/deadline.ts';
import { RedisTimeout } from './redis-failure.ts';

/** How a command ended; `skipped` when it was not sent, because the circuit is open. */
export type CommandResult<T> =
  { readonly outcome: 'done'; readonly value: T } | { readonly outcome: 'failed' | 'skipped' };

/** Called when commands end. */
export interface CommandListener {
  /** Called after each command that succeeded. */
  onSuccess(): void;
  /** Called when Redis has failed so often that the circuit opens or stays open. */
  onOpen(error: unknown): void;
}

/** Runs commands: none throws, none takes longer than its timeout, and none is sent for a while after many failures. */
export class CommandCircuit {
  readonly #circuit: Circuit;
  readonly #listener: CommandListener;

  constructor(circuit: Circuit, listener: CommandListener) {
    this.#circuit = circuit;
    this.#listener = listener;
  }

  /** Sends a command, unless the circuit is open, and waits for its result. */
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

  /** Forgets the failures of an earlier connection. */
  reset(): void {
    this.#circuit.recordSuccess();
  }
}

import type { Circuit, WatchedCircuit } from '../resilience/circuit-breaker.ts';
import { within } from '../resilience/deadline.ts';
import { RedisTimeout } from './redis-failure.ts';

/** How a command ended; `skipped` when it was not sent, because the circuit is open. */
export type CommandResult<T> =
  { readonly outcome: 'done'; readonly value: T } | { readonly outcome: 'failed' | 'skipped' };

/** What commands are for: as many as the metrics tell apart. */
export const REDIS_OPERATIONS = ['get', 'set', 'delete', 'lock', 'unlock'] as const;

/** What a command is for. */
export type RedisOperation = (typeof REDIS_OPERATIONS)[number];

/** How a command that was sent can end. */
export const REDIS_OUTCOMES = ['done', 'timeout', 'error'] as const;

/** Called after each command that was sent. */
export type OnCommand = (operation: RedisOperation, outcome: (typeof REDIS_OUTCOMES)[number], seconds: number) => void;

/** Called when commands end. */
export interface CommandListener {
  readonly onCommand: OnCommand;
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
  async run<T>(operation: RedisOperation, timeoutMs: number, command: () => Promise<T>): Promise<CommandResult<T>> {
    if (this.#circuit.admit() > 0) {
      return { outcome: 'skipped' };
    }
    const start = performance.now();
    const report = (outcome: (typeof REDIS_OUTCOMES)[number]): void =>
      this.#listener.onCommand(operation, outcome, (performance.now() - start) / 1_000);
    try {
      const value = await within(timeoutMs, command(), () => new RedisTimeout());
      this.#circuit.recordSuccess();
      this.#listener.onSuccess();
      report('done');
      return { outcome: 'done', value };
    } catch (error) {
      this.#circuit.recordFailure();
      if (this.#circuit.waitMs > 0) {
        this.#listener.onOpen(error);
      }
      report(error instanceof RedisTimeout ? 'timeout' : 'error');
      return { outcome: 'failed' };
    }
  }

  /** Its circuit as it is now, under a name. */
  watch(name: string): WatchedCircuit {
    return this.#circuit.watch(name);
  }

  /** Forgets the failures of an earlier connection. */
  reset(): void {
    this.#circuit.recordSuccess();
  }
}

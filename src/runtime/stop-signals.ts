import { constants } from 'node:os';

/** The signals by which a platform, an operator or a terminal asks a process to stop. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** What a process does with the signals to stop. */
export interface StopSignals {
  /** Resolves with the first signal that comes from now on; whoever waits for it stops the process in order. */
  readonly untilStopped: () => Promise<void>;
  /** Leaves the signals to others. */
  readonly ignore: () => void;
}

/**
 * Listens for the signals to stop. To be called before anything else: the first process of a container is not ended by a
 * signal that it does not listen to, so one that came during the start would be lost. While nobody waits for a signal, it
 * ends the process at once; so does a second one.
 *
 * @param exitCode of a process that is ended before anybody waits; default 128 and the number of the signal, as shells have it
 */
export function listenForStop(exitCode?: number): StopSignals {
  let stopInOrder: (() => void) | undefined;
  let isStopping = false;
  STOP_SIGNALS.forEach((signal) => process.on(signal, receive));
  return {
    untilStopped: () => new Promise((resolve) => (stopInOrder = resolve)),
    ignore,
  };

  function receive(signal: (typeof STOP_SIGNALS)[number]): void {
    if (stopInOrder === undefined || isStopping) {
      process.exit((isStopping ? undefined : exitCode) ?? 128 + constants.signals[signal]);
    }
    isStopping = true;
    // Without a listener the next signal ends even a process whose event loop stands still; but never the first process.
    if (process.pid !== 1) {
      ignore();
    }
    stopInOrder();
  }

  function ignore(): void {
    STOP_SIGNALS.forEach((signal) => process.off(signal, receive));
  }
}

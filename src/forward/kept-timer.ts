import { findParser } from './undici-parser.ts';

/** Where such a timer keeps its limit; not documented. */
const LIMIT = '_idleTimeout';

/** One of undici's own timers, which it looks at twice a second; Node's have no such state. */
interface FastTimer {
  readonly _state: number;
  /** Milliseconds. */
  [LIMIT]: number;
  refresh(): void;
}

interface Parser {
  readonly timeout: FastTimer | NodeJS.Timeout | null;
  timeoutType: number | null;
  timeoutValue: number | null;
  setTimeout: (this: Parser, delay: number, type: number) => void;
}

/** The bit of undici's types of time limits for which it makes a {@link FastTimer}: those of the head and of the body. */
const FAST = 1;

/** So much later than it should such a timer ends at most, while the event loop keeps up; milliseconds. */
const LATE_MS = 500;

/**
 * Makes a connection of undici use one timer for all that it waits for: the head of an answer, its body, the next request.
 * undici makes a new one each time, and keeps those that are over for half a second in a list: they were three fifths of
 * what moved to the old generation.
 *
 * It relies on the names of the members of undici 7's parser and timers; where they are missing, undici makes its timers.
 * Before a move to another version, see whether it still does: otherwise this file can go.
 *
 * @param client undici's client, just connected
 */
export function keepTimer(client: object): void {
  const parser = findParser(client) as Parser | undefined;
  const usual = parser?.setTimeout;
  if (parser === undefined || typeof usual !== 'function') {
    return;
  }
  parser.setTimeout = (delay, type) => {
    // The wait for the next request may end early, but hardly late: the API may have closed the connection by then.
    const delayMs = (type & FAST) === 0 ? delay - LATE_MS : delay;
    const { timeout } = parser;
    if (timeout === null || !('_state' in timeout) || delayMs < LATE_MS) {
      usual.call(parser, delay, type);
      return;
    }
    timeout[LIMIT] = delayMs;
    timeout.refresh();
    parser.timeoutValue = delayMs;
    parser.timeoutType = type;
  };
}

import type { Clock } from '../resilience/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ARRIVAL_FAULTS, type ArrivalFault, type RefusedArrival } from './arrival-faults.ts';

/** Milliseconds between two lines about one fault: anyone can cause them, and a wrong front does with every connection. */
const LINE_INTERVAL_MS = 60_000;

interface Told {
  at: number;
  /** Since the last line. */
  connections: number;
}

/**
 * Makes the function that writes down refused arrivals: the first of a kind, and then how many there were, once a minute.
 *
 * @param listener the section of gateway.yaml that describes where they arrived
 */
export function createArrivalLog(
  log: Pick<Logger, 'warn'>,
  clock: Clock,
  listener: 'server' | 'authorizationService',
): (refused: RefusedArrival) => void {
  const told = new Map<ArrivalFault, Told>();
  return ({ fault, code, clientAddress }) => {
    const last = told.get(fault) ?? { at: Number.NEGATIVE_INFINITY, connections: 0 };
    told.set(fault, last);
    last.connections += 1;
    if (clock() - last.at >= LINE_INTERVAL_MS) {
      const { connections } = last;
      log.warn({ listener, ...ARRIVAL_FAULTS[fault], code, clientAddress, connections }, 'connections are refused');
      last.at = clock();
      last.connections = 0;
    }
  };
}

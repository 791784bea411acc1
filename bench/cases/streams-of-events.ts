import type { Row } from '../case.ts';
import { describeEventRounds, STREAMS, type EventRound } from '../load/events.ts';
import { ratioOf, type Comparison } from '../measure/rounds.ts';

/** A row of the table: how many events the gateway carries in the CPU time in which the peer carries one. */
export function describeEventComparison(against: string, comparison: Comparison<EventRound>, aim?: number): Row {
  const { ours, peers } = comparison;
  const cpuRatio = ratioOf(comparison, ({ cpuPerEvent }) => cpuPerEvent);
  const ratio = 1 / cpuRatio;
  return {
    figure: `${STREAMS} streams of events: events for the same CPU time, ${against}`,
    aim: aim === undefined ? '' : `≥ ${aim}`,
    seen: ratio.toFixed(2),
    ...(aim === undefined ? {} : { isMet: ratio >= aim }),
    cpuRatio,
    details: `${describeEventRounds(ours)}; there ${describeEventRounds(peers)}`,
  };
}

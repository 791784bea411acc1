import { expect, it } from '@jest/globals';
import { Circuit } from '../../src/resilience/circuit-breaker.ts';
import { Clock } from '../support/token-clock.ts';

it('a circuit shows what it does with calls, and how often it opened', () => {
  const clock = new Clock();
  const circuit = new Circuit({ failures: 2, openForMs: 1_000 }, clock.monotonicMs);
  const steps: [string, () => void][] = [
    ['closed 0', () => circuit.recordFailure()],
    ['open 1', () => circuit.recordFailure()],
    ['half-open 1', () => clock.advance(1_000)],
    ['open 1', () => circuit.admit()],
    ['open 1', () => circuit.recordFailure()],
    ['closed 1', () => circuit.recordSuccess()],
    ['closed 1', () => circuit.recordFailure()],
    ['open 2', () => circuit.recordFailure()],
  ];
  const seen = steps.map(([, step]) => {
    step();
    const { name, state, openings } = circuit.watch('c');
    expect(name).toBe('c');
    return `${state} ${openings}`;
  });
  expect(seen).toEqual(steps.map(([shown]) => shown));
});

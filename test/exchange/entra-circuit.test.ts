import { describe, expect, it } from '@jest/globals';
import { EntraCircuit } from '../../src/exchange/entra-circuit.ts';
import { Clock } from '../support/token-clock.ts';

/** A circuit with a clock of its own. */
function newCircuit(): { circuit: EntraCircuit; clock: Clock } {
  const clock = new Clock();
  return { circuit: new EntraCircuit(clock.now), clock };
}

/** Lets exchanges of these callers fail; a dot is an answer. */
function play(circuit: EntraCircuit, callers: string, retryAt?: number): void {
  for (const caller of callers) {
    if (caller === '.') {
      circuit.recordAnswer();
    } else {
      circuit.recordFailure({ caller, retryAt });
    }
  }
}

describe('the circuit to Entra', () => {
  it.each([
    { what: 'nothing', callers: '', wait: 0 },
    { what: 'nine failures of nine callers', callers: 'abcdefghi', wait: 0 },
    { what: 'ten failures of ten callers', callers: 'abcdefghij', wait: 5_000 },
    { what: 'ten failures of three callers', callers: 'aabbbccccc', wait: 5_000 },
    { what: 'ten failures of two callers', callers: 'ababababab', wait: 0 },
    { what: 'a hundred failures of one caller', callers: 'a'.repeat(100), wait: 0 },
    { what: 'one caller’s failures among which others fail now and then', callers: 'bc' + 'a'.repeat(10), wait: 5_000 },
    { what: 'ten failures with an answer between them', callers: 'abcdefg.hij', wait: 0 },
    { what: 'an answer after it opened', callers: 'abcdefghij.', wait: 0 },
  ])('makes callers wait $wait ms after $what', ({ callers, wait }) => {
    const { circuit } = newCircuit();
    play(circuit, callers);
    expect(circuit.waitBeforeCall()).toBe(wait);
  });

  it('forgets failures of more than a minute ago', () => {
    const { circuit, clock } = newCircuit();
    play(circuit, 'abcdefghi');
    clock.advance(60_000);
    const isCalm = circuit.isCalm;
    play(circuit, 'j');
    expect([isCalm, circuit.waitBeforeCall(), circuit.isCalm]).toEqual([true, 0, false]);
  });

  it('is not calm before a probe succeeded, however long that takes', () => {
    const { circuit, clock } = newCircuit();
    play(circuit, 'abcdefghij');
    clock.advance(60 * 60_000);
    const during = [circuit.waitBeforeCall(), circuit.isCalm];
    play(circuit, '.');
    expect([during, circuit.isCalm]).toEqual([[0, false], true]);
  });

  it.each([
    { what: 'a time that Entra named to all', seconds: 40, callers: 'abcdefghij', wait: 40_000 },
    { what: 'a time that is short', seconds: 1, callers: 'abcdefghij', wait: 1_000 },
    { what: 'no time at all', seconds: 0, callers: 'abcdefghij', wait: 5_000 },
    { what: 'a time that is very long', seconds: 3_600, callers: 'abcdefghij', wait: 300_000 },
  ])('stays open for $wait ms after $what', ({ seconds, callers, wait }) => {
    const { circuit, clock } = newCircuit();
    play(circuit, callers, clock.now() + seconds * 1_000);
    expect(circuit.waitBeforeCall()).toBe(wait);
  });

  it('stays open as long as Entra asks again, once the time that it named before is over', () => {
    const { circuit, clock } = newCircuit();
    play(circuit, 'abcdefghij', clock.now() + 20_000);
    clock.advance(20_000);
    circuit.waitBeforeCall();
    play(circuit, 'x', clock.now() + 30_000);
    expect(circuit.waitBeforeCall()).toBe(30_000);
  });

  it('does not make everyone wait as long as one caller has to', () => {
    const { circuit, clock } = newCircuit();
    play(circuit, 'a', clock.now() + 300_000);
    play(circuit, 'bcdefghij');
    expect(circuit.waitBeforeCall()).toBe(5_000);
  });

  it.each([
    { outcome: 'an answer', callers: '.', after: [0, 0] },
    { outcome: 'a failure', callers: 'x', after: [5_000, 5_000] },
  ])('lets one probe through when the time is over, and the others go by its outcome: $outcome', (row) => {
    const { circuit, clock } = newCircuit();
    play(circuit, 'abcdefghij');
    clock.advance(4_999);
    const before = circuit.waitBeforeCall();
    clock.advance(1);
    const during = [circuit.waitBeforeCall(), circuit.waitBeforeCall(), circuit.waitBeforeCall()];
    play(circuit, row.callers);
    const after = [circuit.waitBeforeCall(), circuit.waitBeforeCall()];
    expect([before, during, after]).toEqual([1, [0, 5_000, 5_000], row.after]);
  });

  it('lets the next probe through when the first never ended', () => {
    const { circuit, clock } = newCircuit();
    play(circuit, 'abcdefghij');
    clock.advance(5_000);
    circuit.waitBeforeCall();
    clock.advance(5_000);
    expect(circuit.waitBeforeCall()).toBe(0);
  });
});

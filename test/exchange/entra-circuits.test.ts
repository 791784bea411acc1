import { describe, expect, it } from '@jest/globals';
import { EntraCircuits } from '../../src/exchange/entra-circuits.ts';
import { Clock } from '../support/token-clock.ts';

/** How Entra treats an exchange. */
type Outcome = 'broken' | 'throttled';

interface Play {
  readonly tenantId?: string;
  readonly outcome?: Outcome;
  /** Milliseconds that Entra asks to wait. */
  readonly retryAfter?: number;
}

/** Circuits with a clock of their own, as one tenant sees them. */
class Lines {
  readonly clock = new Clock();
  readonly circuits = new EntraCircuits(this.clock.monotonicMs);

  /** Lets exchanges of these callers fail; a dot is an answer. */
  play(callers: string, { tenantId = 'home', outcome = 'broken', retryAfter }: Play = {}): void {
    const retryAt = retryAfter === undefined ? undefined : this.clock.monotonicMs() + retryAfter;
    for (const caller of callers) {
      if (caller === '.') {
        this.circuits.recordAnswer(tenantId);
      } else {
        this.circuits.recordFailure({ caller, tenantId, isThrottling: outcome === 'throttled', retryAt });
      }
    }
  }

  admit(tenantId = 'home'): number {
    return this.circuits.admit(tenantId);
  }

  isCalm(tenantId = 'home'): boolean {
    return this.circuits.isCalm(tenantId);
  }
}

describe('the circuit of a tenant', () => {
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
    const lines = new Lines();
    lines.play(callers);
    expect(lines.admit()).toBe(wait);
  });

  it('forgets failures of more than a minute ago', () => {
    const lines = new Lines();
    lines.play('abcdefghi');
    lines.clock.advance(60_000);
    const isCalm = lines.isCalm();
    lines.play('j');
    expect([isCalm, lines.admit(), lines.isCalm()]).toEqual([true, 0, false]);
  });

  it('is not calm before a probe succeeded, however long that takes', () => {
    const lines = new Lines();
    lines.play('abcdefghij');
    lines.clock.advance(60 * 60_000);
    const during = [lines.admit(), lines.isCalm()];
    lines.play('.');
    expect([during, lines.isCalm()]).toEqual([[0, false], true]);
  });

  it.each([
    { what: 'a time that Entra named to all', seconds: 40, callers: 'abcdefghij', wait: 40_000 },
    { what: 'a time that is short', seconds: 1, callers: 'abcdefghij', wait: 1_000 },
    { what: 'a time that is over', seconds: 0, callers: 'abcdefghij', wait: 5_000 },
    { what: 'a time that is very long', seconds: 3_600, callers: 'abcdefghij', wait: 300_000 },
  ])('stays open for $wait ms after $what', ({ seconds, callers, wait }) => {
    const lines = new Lines();
    lines.play(callers, { retryAfter: seconds * 1_000 });
    expect(lines.admit()).toBe(wait);
  });

  it('stays open as long as Entra asks again, once the time that it named before is over', () => {
    const lines = new Lines();
    lines.play('abcdefghij', { retryAfter: 20_000 });
    lines.clock.advance(20_000);
    lines.admit();
    lines.play('x', { retryAfter: 30_000 });
    expect(lines.admit()).toBe(30_000);
  });

  it('does not make everyone wait as long as one caller has to', () => {
    const lines = new Lines();
    lines.play('a', { retryAfter: 300_000 });
    lines.play('bcdefghij');
    expect(lines.admit()).toBe(5_000);
  });

  it.each([
    { outcome: 'an answer', callers: '.', after: [0, 0] },
    { outcome: 'a failure', callers: 'x', after: [5_000, 5_000] },
  ])('lets one probe through when the time is over, and the others go by its outcome: $outcome', (row) => {
    const lines = new Lines();
    lines.play('abcdefghij');
    lines.clock.advance(4_999);
    const before = lines.admit();
    lines.clock.advance(1);
    const during = [lines.admit(), lines.admit(), lines.admit()];
    lines.play(row.callers);
    const after = [lines.admit(), lines.admit()];
    expect([before, during, after]).toEqual([1, [0, 5_000, 5_000], row.after]);
  });

  it('lets the next probe through when the first never ended', () => {
    const lines = new Lines();
    lines.play('abcdefghij');
    lines.clock.advance(5_000);
    lines.admit();
    lines.clock.advance(5_000);
    expect(lines.admit()).toBe(0);
  });
});

describe('several tenants', () => {
  it.each([
    { what: 'throttled', outcome: 'throttled' },
    { what: 'broken', outcome: 'broken' },
  ] as const)('stop only the one that is $what, for as long as Entra asks', ({ outcome }) => {
    const lines = new Lines();
    lines.play('abcdefghijkl', { outcome, retryAfter: 60_000 });
    expect([lines.admit(), lines.admit('other')]).toEqual([60_000, 0]);
  });

  it('stop no third one when two of them are throttled', () => {
    const lines = new Lines();
    for (const caller of 'abcdefghij') {
      lines.play(caller, { outcome: 'throttled' });
      lines.play(caller, { outcome: 'throttled', tenantId: 'other' });
    }
    expect(['home', 'other', 'third'].map((tenantId) => lines.admit(tenantId))).toEqual([5_000, 5_000, 0]);
  });

  it('stop everyone when Entra fails two of them, until one exchange of anyone is answered', () => {
    const lines = new Lines();
    lines.play('abcde');
    lines.play('fghij', { tenantId: 'other' });
    const open = ['home', 'other', 'third'].map((tenantId) => lines.admit(tenantId));
    lines.clock.advance(5_000);
    const probes = ['third', 'home'].map((tenantId) => lines.admit(tenantId));
    lines.play('.', { tenantId: 'third' });
    expect([open, probes, lines.admit()]).toEqual([[5_000, 5_000, 5_000], [0, 5_000], 0]);
  });

  it('use a probe each: one whose time is not over takes none from the others', () => {
    const lines = new Lines();
    lines.play('abcdefghij', { retryAfter: 60_000 });
    lines.play('k', { tenantId: 'other', retryAfter: 1_000 });
    lines.clock.advance(1_000);
    expect([lines.admit(), lines.admit('other')]).toEqual([59_000, 0]);
  });

  it('lose the second try one by one: only the one that Entra failed gets none', () => {
    const lines = new Lines();
    lines.play('a');
    expect([lines.isCalm(), lines.isCalm('other')]).toEqual([false, true]);
  });
});

describe('one user who is throttled', () => {
  it('leaves everyone the second try', () => {
    const lines = new Lines();
    lines.play('aaa', { outcome: 'throttled' });
    expect(lines.isCalm()).toBe(true);
  });
});

describe('a change of the time of day', () => {
  it.each([-3_600_000, -50_000, 3_600_000])('by %i ms changes no pause', (milliseconds) => {
    const lines = new Lines();
    lines.play('abcdefghij');
    lines.clock.setBy(milliseconds);
    const before = lines.admit();
    lines.clock.advance(5_000);
    expect([before, lines.admit()]).toEqual([5_000, 0]);
  });
});

describe('who watches the circuits', () => {
  it('sees one of a single tenant: closed, open, half-open, and closed again', () => {
    const lines = new Lines();
    const seen = [];
    for (const step of [
      () => lines.play('abcdefghij'),
      () => lines.clock.advance(5_000),
      () => lines.play('k'),
      () => lines.play('.'),
      () => lines.play('abcdefghij'),
    ]) {
      step();
      seen.push(...lines.circuits.watch(['home']).map(({ name, state, openings }) => `${name} ${state} ${openings}`));
    }
    expect(seen).toEqual(['entra open 1', 'entra half-open 1', 'entra open 1', 'entra closed 1', 'entra open 2']);
  });

  it('sees the common one and one for each of several tenants', () => {
    const lines = new Lines();
    lines.play('abcdefghij', { tenantId: 'first' });
    lines.play('k', { tenantId: 'second' });
    expect(lines.circuits.watch(['first', 'second'])).toEqual([
      { name: 'entra', state: 'open', openings: 1 },
      { name: 'entra:first', state: 'open', openings: 1 },
      { name: 'entra:second', state: 'closed', openings: 0 },
    ]);
  });
});

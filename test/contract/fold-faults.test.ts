import { describe, expect, it } from '@jest/globals';
import { foldFaults } from '../../src/contract/fold-faults.ts';
import type { ConfigFault } from '../../src/failures.ts';

/** Equal faults of these places. */
function equal(message: string, ...places: string[]): ConfigFault[] {
  return places.map((at) => ({ at, message }));
}

/** The faults as a terminal shows them. */
function fold(...faults: ConfigFault[][]): string[] {
  return foldFaults(faults.flat()).map(({ at, message }) => `${at}: ${message}`);
}

const FIVE = ['/a', '/b', '/c', '/d', '/e'].map((path) => `contract GET ${path}`);

describe('equal faults', () => {
  it('of many operations are one line, where the first stood', () => {
    expect(
      fold(equal('is odd', 'contract PUT /x'), equal('has no security', ...FIVE), equal('is odd', 'server')),
    ).toEqual([
      'contract PUT /x: is odd',
      'contract: 5 operations have no security: GET /a, GET /b, GET /c and 2 more',
      'server: is odd',
    ]);
  });

  it('of few are named all', () => {
    expect([2, 3].map((count) => fold(equal('has no in', ...FIVE.slice(0, count))))).toEqual([
      ['contract: 2 operations have no in: GET /a, GET /b'],
      ['contract: 3 operations have no in: GET /a, GET /b, GET /c'],
    ]);
  });

  it('of one place are one, also where nothing but a key is named', () => {
    expect(fold(equal('is odd', 'contract GET /a', 'contract GET /a', 'server.port', 'server.port'))).toEqual([
      'contract GET /a: is odd',
      'server.port: is odd',
    ]);
  });

  it('of other places are called so', () => {
    expect(fold(equal('must be a text; found 1', 'contract /a /b', 'contract a.yaml#/c', 'contract GET /d'))).toEqual([
      'contract: 3 places must be a text; found 1: /a /b, a.yaml#/c, GET /d',
    ]);
  });

  it('of different documents stay apart', () => {
    const second = FIVE.map((place) => place.replace('contract', 'contract[1]'));
    expect(fold(equal('is odd', ...FIVE), equal('is odd', ...second))).toEqual([
      'contract: 5 operations are odd: GET /a, GET /b, GET /c and 2 more',
      'contract[1]: 5 operations are odd: GET /a, GET /b, GET /c and 2 more',
    ]);
  });

  it.each([
    ['names x', 'name x'],
    ['matches x', 'match x'],
    ['does not y', 'do not y'],
    ['the reference x', 'say: the reference x'],
  ])('are written for many: %s', (message, expected) => {
    expect(fold(equal(message, ...FIVE))).toEqual([
      `contract: 5 operations ${expected}: GET /a, GET /b, GET /c and 2 more`,
    ]);
  });
});

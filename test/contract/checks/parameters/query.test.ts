import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeQueryText, readQuery } from '../../../../src/contract/checks/parameters/query.ts';

const PIECES = [
  'a',
  'b',
  '=',
  '&',
  '+',
  '%',
  '%20',
  '%3D',
  '%26',
  '%C3%A9',
  '%C3',
  '%zz',
  'é',
  '?',
  '[',
  ']',
  ';',
  ',',
];

describe('a query is taken apart as browsers do', () => {
  it('whatever it is', () => {
    const query = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(query, (text) => {
        const pairs = readQuery(`?${text}`).map(([name, value]) => [name, decodeQueryText(value)]);
        expect(pairs).toEqual([...new URLSearchParams(`?${text}`)]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('and its values stay as they were sent', () => {
    expect(readQuery('?a=b%2Cc+d&%61=')).toEqual([
      ['a', 'b%2Cc+d'],
      ['a', ''],
    ]);
  });
});

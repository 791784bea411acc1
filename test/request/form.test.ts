import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseForm } from '../../src/request/form.ts';

const name = fc.stringMatching(/^[\w.-]{1,12}$/);
const value = fc.string({ unit: 'grapheme' }).filter((text) => !/(?!\t)\p{Cc}/u.test(text));

describe('whatever a browser writes into a form', () => {
  it('is read as it was meant, and written so that a browser reads the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key.toLowerCase() }), (pairs) => {
        fc.pre(pairs.length > 0);
        const form = parseForm(new URLSearchParams(pairs).toString());
        expect(pairs.map(([key]) => form.get(key.toLowerCase()))).toEqual(pairs.map(([, text]) => text));
        expect([...new URLSearchParams(form.encoded)]).toEqual(pairs);
      }),
    );
  });
});

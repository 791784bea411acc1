import { describe, expect, it } from '@jest/globals';
import { checkParameters } from '../../parameter-source.ts';

/** Twelve times what the gateway takes: what takes the square of the time would not come to an end. */
const LENGTH = 200_000;
const DEADLINE_MS = 60_000;

const PIECES = [
  '[',
  ']',
  '[]',
  'p[',
  'p[]=&',
  'p[a]=&',
  '&',
  '=',
  '&p=',
  'p=1&',
  ',',
  '1,',
  '%2C',
  ' ',
  '%20',
  '|',
  ';',
  ';p=1',
  '.',
  '%',
  '%zz',
  '+',
  '{',
  '"',
  'a=1&',
];

const LIST = { type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'boolean' }] }, uniqueItems: true };
const MAP = { type: 'object', additionalProperties: { oneOf: [LIST, { type: 'integer' }, { type: 'string' }] } };
const SCHEMA = { anyOf: [{ type: 'integer' }, LIST, MAP] };

const DECLARATIONS: readonly [place: 'path' | 'query' | 'header' | 'cookie', style: string, explode: boolean][] = [
  ['path', 'matrix', true],
  ['path', 'matrix', false],
  ['path', 'label', false],
  ['path', 'simple', true],
  ['query', 'form', true],
  ['query', 'form', false],
  ['query', 'spaceDelimited', false],
  ['query', 'pipeDelimited', false],
  ['query', 'deepObject', true],
  ['header', 'simple', true],
  ['cookie', 'form', true],
  ['cookie', 'cookie', false],
];

describe('a text that is made to be slow to read is read in linear time', () => {
  it.each(DECLARATIONS)(
    'in %s, %s, exploded: %s',
    (place, style, explode) => {
      const declared = { name: 'p', in: place, style, explode, schema: SCHEMA };
      for (const piece of PIECES.filter((one) => place !== 'path' || !one.startsWith('%'))) {
        const text = `p=${piece.repeat(LENGTH / piece.length)}`;
        const sent = {
          path: { path: { p: text.slice(2) } },
          query: { query: `?${text}` },
          header: { headers: { p: text } },
          cookie: { headers: { cookie: text } },
        };
        expect(checkParameters([declared], sent[place]).length).toBeLessThan(200);
      }
    },
    DEADLINE_MS,
  );
});

import { compilePrograms, type Characters, type PatternWork } from './pattern-program.ts';
import { createSearch } from './pattern-search.ts';
import { parsePattern, type PatternFlags } from './pattern-syntax.ts';
import { hasOneWay } from './pattern-ways.ts';

/** Longer texts could be too much for the stack of JavaScript's engine. */
const MAX_FOR_NATIVE = 100_000;

/**
 * Looks for a pattern in a text.
 *
 * @throws {TooMuchWork} when that would take more steps than are left
 */
export type MatchesPattern = (text: string, work: PatternWork) => boolean;

/**
 * Makes the test of a `pattern`. It means what it means in JavaScript (ECMA-262 §22.2), also what it looks for ahead and
 * behind, but takes time in proportion to the text: JavaScript's own engine tries ways one after the other, and of some
 * patterns there are more ways through thirty characters than anyone can wait for. It serves where there is one way.
 *
 * @throws {Error} that goes on "the pattern …, which", when it is none, or cannot be looked for in linear time
 */
export function compilePattern(source: string): MatchesPattern {
  const flags = readFlags(source);
  const pattern = parsePattern(source, flags);
  const search = createSearch(compilePrograms(pattern));
  const isMatch: MatchesPattern = (text, work) => search(toCharacters(text, flags), work);
  if (!hasOneWay(pattern)) {
    return isMatch;
  }
  const native = new RegExp(source, flags);
  return (text, work) => (text.length <= MAX_FOR_NATIVE ? native.test(text) : isMatch(text, work));
}

/** JSON Schema wants the flag `u`; what many write has escapes that only the older rules allow. */
function readFlags(source: string): PatternFlags {
  for (const flags of ['u', ''] as const) {
    try {
      return new RegExp(source, flags).unicode ? 'u' : '';
    } catch {
      // It may be well with the other.
    }
  }
  throw new Error('is not a regular expression');
}

function toCharacters(text: string, flags: PatternFlags): Characters {
  if (flags === '' || !/[\ud800-\udfff]/.test(text)) {
    return { length: text.length, at: (index) => text.charCodeAt(index) };
  }
  const codes = Uint32Array.from(text, (character) => character.codePointAt(0) ?? 0);
  return { length: codes.length, at: (index) => codes[index] ?? 0 };
}

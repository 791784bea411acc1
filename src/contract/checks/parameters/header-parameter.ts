import type { Declaration } from './declaration.ts';
import { readLists, readMaps, type Delimiting } from './delimited.ts';
import { GIVEN_TWICE, readWhole, type Reading } from './reading.ts';

/** A header is not encoded; several lines of it are one list (RFC 9110 §5.3). */
const IN_HEADER: Delimiting = { delimiter: ',', decode: (text) => text.trim(), takesEncoded: false, isEncoded: false };

/** Reads a parameter of a header: `simple`. */
export function readHeader(declaration: Declaration, lines: readonly string[]): Reading | undefined {
  const [line] = lines;
  if (line === undefined) {
    return undefined;
  }
  if (lines.length === 1) {
    return readWhole(line, declaration, IN_HEADER);
  }
  const { kinds, explode } = declaration;
  const joined = lines.join(',');
  const values: unknown[] = kinds.has('array') ? readLists(joined, IN_HEADER) : [];
  if (kinds.has('object')) {
    values.push(...readMaps(joined, IN_HEADER, explode));
  }
  return values.length === 0 ? GIVEN_TWICE : { values };
}

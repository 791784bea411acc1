import { findNearest } from '../syntax/edit-distance.ts';
import { OboUsageError } from './usage-error.ts';

/**
 * Refuses keys that nobody reads: they are slips.
 *
 * @param call what was given the object, such as `protect()`
 * @throws {OboUsageError} naming the first one and the nearest known one
 */
export function checkKeys(call: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const nearest = findNearest(unknown, known)?.word;
    throw new OboUsageError(`${call} knows no ${unknown}; it takes ${known.join(', ')}. Did you mean ${nearest}?`);
  }
}

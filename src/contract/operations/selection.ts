import { editDistance } from '../../syntax/edit-distance.ts';
import { nameOperation, placeOf, type Found } from './operations.ts';

/** Which operations of a document are served. */
export interface Selection {
  readonly serves: (operation: Found) => boolean;
  /** The same for a place that holds no operation that can be read, such as `TRACE /orders` or `/orders`. */
  readonly servesPlace: (place: string) => boolean;
}

/** Every operation. */
export const EVERYTHING: Selection = { serves: () => true, servesPlace: () => true };

const PATTERN = /^([A-Za-z-]+) (\/.*)$/;

/**
 * Reads `operations` of gateway.yaml: operationIds, and `METHOD /path` with `*` for one segment and `/**` at the end for
 * one or more, as in the document's own paths.
 */
export function readSelection(written: readonly string[]): Selection {
  const ids = new Set(written.filter((text) => !PATTERN.test(text)));
  const patterns = written.flatMap((text) => readPattern(text) ?? []);
  return {
    serves: (operation) =>
      ids.has(nameOperation(operation)) || patterns.some((pattern) => pattern.fits(operation.method, operation.path)),
    servesPlace: (place) => {
      const [, method = '', path = place] = PATTERN.exec(place) ?? [];
      return patterns.some((pattern) => (method === '' ? pattern.fitsPath(path) : pattern.fits(method, path)));
    },
  };
}

/**
 * What of `operations` meets no operation of the document, with the nearest that there is.
 *
 * @returns the places in the list and what is wrong with them
 */
export function findIdle(
  written: readonly string[],
  operations: readonly Found[],
): readonly { readonly index: number; readonly message: string }[] {
  return written.flatMap((text, index) => {
    const { serves } = readSelection([text]);
    if (operations.some(serves)) {
      return [];
    }
    const names = operations.map(PATTERN.test(text) ? placeOf : nameOperation);
    const nearest = findNearest(text, names);
    const advice = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    return [{ index, message: `found ${JSON.stringify(text)}, which meets no operation of the document${advice}` }];
  });
}

function findNearest(text: string, names: readonly string[]): string | undefined {
  const allowed = Math.max(2, Math.floor(text.length / 3));
  // A distance is never less than the difference of the lengths, which costs nothing.
  return names
    .filter((name) => Math.abs(name.length - text.length) <= allowed)
    .map((name) => ({ name, distance: editDistance(text, name) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((one, other) => one.distance - other.distance)[0]?.name;
}

interface Pattern {
  readonly fits: (method: string, path: string) => boolean;
  readonly fitsPath: (path: string) => boolean;
}

function readPattern(text: string): Pattern | undefined {
  const [, method = '', path = ''] = PATTERN.exec(text) ?? [];
  if (path === '') {
    return undefined;
  }
  const takesRest = path.endsWith('/**');
  const wanted = (takesRest ? path.slice(0, -'/**'.length) : path).split('/');
  const fitsPath = (candidate: string): boolean => {
    const segments = candidate.split('/');
    const fitsLength = takesRest ? segments.length > wanted.length : segments.length === wanted.length;
    return fitsLength && wanted.every((segment, index) => segment === '*' || segment === segments[index]);
  };
  return {
    fitsPath,
    fits: (candidate, candidatePath) => candidate.toUpperCase() === method.toUpperCase() && fitsPath(candidatePath),
  };
}

/** The most errors that are looked at: an error may well be its own cause. */
const MAX_ERRORS = 100;

/** What may hold an error: one that names its cause, an `AggregateError`, or a `SuppressedError`. */
interface Wrapper {
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly error?: unknown;
  readonly suppressed?: unknown;
}

/**
 * Finds an error of a kind in what was thrown: the error itself, what it wraps (`cause`), one of several (`errors`), or the
 * two of a `SuppressedError`.
 *
 * @returns the nearest one; `undefined` for none
 */
export function findError<T>(thrown: unknown, pick: (error: object) => T | undefined): T | undefined {
  const seen = new Set<unknown>();
  let layer: unknown[] = [thrown];
  while (layer.length > 0 && seen.size < MAX_ERRORS) {
    const next: unknown[] = [];
    for (const error of layer) {
      if (typeof error !== 'object' || error === null || seen.has(error) || seen.size >= MAX_ERRORS) {
        continue;
      }
      seen.add(error);
      const found = pick(error);
      if (found !== undefined) {
        return found;
      }
      const { cause, errors, error: later, suppressed } = error as Wrapper;
      next.push(
        cause,
        ...(suppressed === undefined ? [] : [later, suppressed]),
        ...(Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : []),
      );
    }
    layer = next;
  }
  return undefined;
}

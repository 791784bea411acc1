/** The most errors that are looked at: an error may well be its own cause. */
const MAX_ERRORS = 100;

/**
 * Finds an error of a kind in what was thrown: the error itself, what it wraps (`cause`), or one of several (`errors`).
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
      const { cause, errors } = error as { readonly cause?: unknown; readonly errors?: unknown };
      next.push(cause, ...(Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : []));
    }
    layer = next;
  }
  return undefined;
}

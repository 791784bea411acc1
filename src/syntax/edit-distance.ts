/** Counts the letters that must change to make one word of another (Levenshtein). */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const substitution = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The known word that is nearest to another one, whose letters may be large or small; `undefined` where none is known. */
export function findNearest(
  word: string,
  known: readonly string[],
): { readonly word: string; readonly distance: number } | undefined {
  return known
    .map((each) => ({ word: each, distance: editDistance(word.toLowerCase(), each.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
}

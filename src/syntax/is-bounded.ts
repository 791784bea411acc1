/** Values that a document may come to when each alias is written out; the largest public ones have a million. */
const MAX_VALUES = 5_000_000;

/** Levels that a document may come to so; twice of what a file can be nested. */
const MAX_LEVELS = 1_000;

interface Size {
  readonly values: number;
  readonly levels: number;
}

const LEAF: Size = { values: 1, levels: 0 };
const ENDLESS: Size = { values: Number.POSITIVE_INFINITY, levels: Number.POSITIVE_INFINITY };

/**
 * False for a tree that holds itself, or whose shared parts come to more than five million values or a thousand levels
 * when each is written out wherever it stands: nothing that walks such a tree, or writes it as JSON, comes to an end.
 */
export function isBounded(tree: unknown): boolean {
  const { values, levels } = measure(tree, new Map());
  return values <= MAX_VALUES && levels <= MAX_LEVELS;
}

/** @param sizes of what was measured; endless while it is being measured */
function measure(value: unknown, sizes: Map<object, Size>): Size {
  if (typeof value !== 'object' || value === null) {
    return LEAF;
  }
  const known = sizes.get(value);
  if (known !== undefined) {
    return known;
  }
  sizes.set(value, ENDLESS);
  let values = 1;
  let levels = 0;
  for (const child of Object.values(value) as unknown[]) {
    const size = measure(child, sizes);
    values += size.values;
    levels = Math.max(levels, size.levels);
  }
  const size = { values, levels: levels + 1 };
  sizes.set(value, size);
  return size;
}

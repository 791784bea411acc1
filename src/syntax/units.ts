const DURATION = /^(\d+)(ms|s|m|h)$/;
const SIZE = /^(\d+)(b|kb|mb|gb)$/i;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1_024, mb: 1_024 ** 2, gb: 1_024 ** 3 };

/** The longest time that Node's timers can wait; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Reads `500ms`, `30s`, `5m` or `1h` as milliseconds; `undefined` when the text is no duration up to 24 days. */
export function parseDuration(text: string): number | undefined {
  const milliseconds = parseQuantity(text, DURATION, MILLISECONDS);
  return milliseconds !== undefined && milliseconds <= MAX_TIMER_MS ? milliseconds : undefined;
}

/** Reads `512b`, `64kb`, `10mb` or `2gb` as bytes, a kb being 1,024; `undefined` when the text is no size. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, SIZE, BYTES);
}

function parseQuantity(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  const match = pattern.exec(text);
  const factor = units[match?.[2]?.toLowerCase() ?? ''];
  const quantity = Number(match?.[1]) * (factor ?? Number.NaN);
  return Number.isSafeInteger(quantity) ? quantity : undefined;
}

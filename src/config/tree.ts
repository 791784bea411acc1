/** True for a map of keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key, `undefined` where there is no such key or no map. */
export function readKey(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

/** The value of a key or an index in a parsed gateway.yaml, `undefined` where there is none. */
export function readKey(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

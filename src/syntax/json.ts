/** Any parsed JSON object; nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for an object with members, so not for `null` and not for a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses a JSON text that holds an object; `undefined` for anything else, also for a text that is not JSON. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Escapes one key for a JSON pointer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-3
 */
export function escapePointer(key: string): string {
  return /[~/]/.test(key) ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
}

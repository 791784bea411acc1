import { OboUsageError } from './usage-error.ts';

/**
 * The name of a method or of a header (RFC 9110 §5.6.2).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
 */
const TOKEN = /^[!#$%&'*+\-.^`|~\w]+$/;

/**
 * The value of a header (RFC 9110 §5.5).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5
 */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Methods that are no calls: a tunnel, and requests for what was sent, token included. `fetch` knows none of them either. */
const NO_CALLS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/**
 * Refuses the head of a call that cannot be sent, before its token is fetched.
 *
 * @throws {OboUsageError} which says what to write
 */
export function checkHead({ method, headers }: { readonly method: string; readonly headers: readonly string[] }): void {
  if (!TOKEN.test(method) || NO_CALLS.has(method.toUpperCase())) {
    throw new OboUsageError(`${JSON.stringify(method)} is no method of a call; use one such as GET or POST.`);
  }
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2);
    if (!TOKEN.test(name)) {
      throw new OboUsageError(`${JSON.stringify(name)} is no name of a header; use letters, digits and hyphens.`);
    }
    if (!FIELD_VALUE.test(value)) {
      throw new OboUsageError(
        `The header ${name} has characters that no header can carry; encode its value, for example with encodeURIComponent().`,
      );
    }
  }
}

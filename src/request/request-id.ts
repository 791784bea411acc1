import { RandomTexts } from '../syntax/random-texts.ts';

/** Random digits, the version and the variant (RFC 9562 §5.4). */
const ids = new RandomTexts('xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx');

/**
 * Makes an id for a request: a random UUID. One of `randomUUID` is put together from twenty pieces.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.4
 */
export function createRequestId(): string {
  return ids.next();
}

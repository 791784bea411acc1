import { randomFillSync } from 'node:crypto';

/** An id: random digits, the version and the variant (RFC 9562 §5.4). */
const FORM = 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx';

const DIGIT = 'x'.charCodeAt(0);

/** How many ids are made at once. */
const BATCH = 128;

const text = Buffer.from(FORM.repeat(BATCH));
const places = [...text.keys()].filter((place) => text[place] === DIGIT);
const random = Buffer.alloc(places.length / 2);

let batch = '';
let next = 0;

/**
 * Makes an id for a request: a random UUID. Many are written at once into one text, of which each is a piece: one of
 * `randomUUID` is put together from twenty pieces, which are joined once more for each header and line that it stands in.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.4
 */
export function createRequestId(): string {
  if (next === batch.length) {
    batch = writeBatch();
    next = 0;
  }
  next += FORM.length;
  return batch.slice(next - FORM.length, next);
}

function writeBatch(): string {
  const digits = randomFillSync(random).toString('hex');
  places.forEach((place, index) => {
    text[place] = digits.charCodeAt(index);
  });
  return text.toString('latin1');
}

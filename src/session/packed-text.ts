/** What a JWT consists of, however it is signed or encrypted: digits of base64url, and dots between its parts. */
const JWT_CHARACTERS = /^[\w.-]*$/;

/** An encrypted JWT has five parts, a signed one three. */
const MAX_PARTS = 5;

/** The length of a part takes two bytes. */
const MAX_PART_LENGTH = 0xffff;

/** Stands where the number of parts would, before a text that is no JWT and the four bytes of its length. */
const AS_IT_IS = 0xff;

/** The bytes before a text as it is. */
const LENGTH_END = 5;

/**
 * Packs a text into bytes. Of a JWT three quarters remain: each digit of base64url stands for six bits. Any other text
 * of Latin-1 takes a byte for each character.
 *
 * The bytes are the number of parts, the length of each, and the digits of all parts, joined and decoded at once. So every
 * text of such digits comes back as it was, even one that no encoder would write; and nobody has to remember where it ends.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4648#section-5
 */
export function packText(text: string): Buffer {
  const parts = text.split('.', MAX_PARTS + 1);
  const isJwt = parts.length <= MAX_PARTS && JWT_CHARACTERS.test(text);
  if (!isJwt || parts.some(({ length }) => length > MAX_PART_LENGTH)) {
    const bytes = Buffer.alloc(LENGTH_END + text.length);
    bytes[0] = AS_IT_IS;
    bytes.writeUInt32LE(text.length, 1);
    bytes.write(text, LENGTH_END, 'latin1');
    return bytes;
  }
  const head = Buffer.alloc(1 + 2 * parts.length);
  head[0] = parts.length;
  parts.forEach(({ length }, index) => head.writeUInt16LE(length, 1 + 2 * index));
  const digits = parts.join('');
  // Four digits are three bytes. Without the last zeros ("A") the end of the last byte would be lost.
  return Buffer.concat([head, Buffer.from(digits.padEnd(Math.ceil(digits.length / 4) * 4, 'A'), 'base64url')]);
}

/** Reads what {@link packText} wrote into these bytes at this place. */
export function unpackText(bytes: Buffer, from: number): string {
  const parts = bytes.readUInt8(from);
  const lengthsAt = from + 1;
  if (parts === AS_IT_IS) {
    const textAt = from + LENGTH_END;
    return bytes.toString('latin1', textAt, textAt + bytes.readUInt32LE(lengthsAt));
  }
  const digitsAt = lengthsAt + 2 * parts;
  let length = 0;
  for (let at = lengthsAt; at < digitsAt; at += 2) {
    length += bytes.readUInt16LE(at);
  }
  const digits = bytes.toString('base64url', digitsAt, digitsAt + bytesOf(length));
  let start = bytes.readUInt16LE(lengthsAt);
  let text = digits.slice(0, start);
  for (let at = lengthsAt + 2; at < digitsAt; at += 2) {
    const end = start + bytes.readUInt16LE(at);
    text += `.${digits.slice(start, end)}`;
    start = end;
  }
  return text;
}

/** How many bytes so many digits of base64url take, filled up to whole groups of four digits in three bytes. */
function bytesOf(digits: number): number {
  return 3 * Math.ceil(digits / 4);
}

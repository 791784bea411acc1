/** How a field is written on the wire, or the message that it holds. */
type FieldType = 'string' | 'hex' | 'number' | 'bool' | 'double' | 'fixed32' | 'fixed64' | (() => MessageType);

/** A message: its fields by their numbers; a list for one that can be repeated. */
export type MessageType = Readonly<Record<number, readonly [name: string, type: FieldType, isRepeated?: 'repeated']>>;

/** A message that was read; fields that were not sent are absent. */
export type Message = Record<string, unknown>;

/** Reads a message in the wire format of protobuf; fields that the type does not have are left out. */
export function decodeMessage(bytes: Buffer, type: MessageType): Message {
  const message: Message = {};
  let at = 0;
  while (at < bytes.length) {
    const [tag, afterTag] = readVarint(bytes, at);
    const [raw, next] = readRaw(bytes, afterTag, Number(tag & 7n));
    at = next;
    const field = type[Number(tag >> 3n)];
    if (field === undefined) {
      continue;
    }
    const [name, fieldType, isRepeated] = field;
    const values = toValues(raw, fieldType);
    if (isRepeated === 'repeated') {
      message[name] = [...((message[name] as unknown[] | undefined) ?? []), ...values];
    } else {
      message[name] = values.at(-1);
    }
  }
  return message;
}

/** A value as it stands on the wire: a number, or bytes of a length. */
type Raw = bigint | Buffer;

function readRaw(bytes: Buffer, at: number, wireType: number): [Raw, number] {
  if (wireType === 0) {
    return readVarint(bytes, at);
  }
  if (wireType === 1) {
    return [bytes.subarray(at, at + 8), at + 8];
  }
  if (wireType === 5) {
    return [bytes.subarray(at, at + 4), at + 4];
  }
  if (wireType !== 2) {
    throw new Error(`no wire type of protobuf: ${wireType}`);
  }
  const [length, start] = readVarint(bytes, at);
  const end = start + Number(length);
  if (end > bytes.length) {
    throw new Error('a field of protobuf is longer than its message');
  }
  return [bytes.subarray(start, end), end];
}

function readVarint(bytes: Buffer, start: number): [bigint, number] {
  let value = 0n;
  for (let at = start, shift = 0n; at < bytes.length; at += 1, shift += 7n) {
    const byte = BigInt(bytes[at] ?? 0);
    value |= (byte & 0x7fn) << shift;
    if (byte < 0x80n) {
      return [value, at + 1];
    }
  }
  throw new Error('a number of protobuf has no end');
}

/** A field of numbers can hold several of them, one after the other. */
function toValues(raw: Raw, type: FieldType): unknown[] {
  if (typeof raw === 'bigint') {
    return [type === 'bool' ? raw !== 0n : Number(BigInt.asIntN(64, raw))];
  }
  switch (type) {
    case 'string':
      return [raw.toString()];
    case 'hex':
      return [raw.toString('hex')];
    case 'fixed32':
      return [raw.readUInt32LE()];
    case 'fixed64':
      return readEach(raw, (at) => raw.readBigUInt64LE(at).toString());
    case 'double':
      return readEach(raw, (at) => raw.readDoubleLE(at));
    case 'number':
    case 'bool':
      throw new Error('a number of protobuf is written as bytes');
    default:
      return [decodeMessage(raw, type())];
  }
}

function readEach<T>(raw: Buffer, read: (at: number) => T): T[] {
  return Array.from({ length: raw.length / 8 }, (_, index) => read(index * 8));
}

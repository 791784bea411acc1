import { PassThrough, Readable } from 'node:stream';
import { NO_BODY, type OutgoingBody } from '../request/body.ts';
import { OboUsageError } from './usage-error.ts';

/** A body that an application sends, and how it is described. */
export interface WrittenBody {
  readonly body: OutgoingBody;
  /** The type that belongs to it, where it has one of its own. */
  readonly contentType?: string;
  /** False for a stream, whose length is known to the application at most. */
  readonly hasKnownLength: boolean;
}

/**
 * Makes the body of a call of what an application gives: text, bytes, a form, a Blob, or a stream. What is in memory can
 * be sent once more; a stream cannot.
 *
 * @throws {OboUsageError} for anything else
 */
export async function toOutgoingBody(data: unknown): Promise<WrittenBody> {
  if (data === undefined || data === null) {
    return { body: NO_BODY, hasKnownLength: true };
  }
  if (typeof data === 'string') {
    return held(Buffer.from(data));
  }
  if (ArrayBuffer.isView(data)) {
    return held(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  if (data instanceof ArrayBuffer) {
    return held(Buffer.from(data));
  }
  if (data instanceof URLSearchParams || data instanceof FormData || data instanceof Blob) {
    const written = new Response(data);
    const contentType = written.headers.get('content-type');
    return { ...held(Buffer.from(await written.arrayBuffer())), ...(contentType !== null && { contentType }) };
  }
  if (data instanceof ReadableStream) {
    return streamed(Readable.fromWeb(data));
  }
  if (isAsyncIterable(data)) {
    return streamed(data);
  }
  if (isOldStream(data)) {
    return streamed(pipe(data));
  }
  throw new OboUsageError('A body is text, bytes, a form, a Blob, or a stream.');
}

function held(bytes: Buffer): WrittenBody {
  return { body: { send: () => bytes, isReplayable: true }, hasKnownLength: true };
}

function streamed(chunks: AsyncIterable<unknown>): WrittenBody {
  return { body: { send: () => toBuffers(chunks), isReplayable: false }, hasKnownLength: false };
}

async function* toBuffers(chunks: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array);
  }
}

/** True for a stream, whoever made it. */
export function isAsyncIterable(data: unknown): data is AsyncIterable<unknown> {
  return typeof data === 'object' && data !== null && Symbol.asyncIterator in data;
}

/** Pipes an old stream, which does not begin otherwise. */
function pipe(old: NodeJS.ReadableStream): Readable {
  const piped = new PassThrough();
  old.on('error', (error) => piped.destroy(error));
  return old.pipe(piped);
}

/**
 * True for a stream of the first kind that Node had, which can only be piped: the forms of the `form-data` package, which
 * `postForm` of axios makes, are such.
 */
function isOldStream(data: unknown): data is NodeJS.ReadableStream {
  return typeof (data as { pipe?: unknown }).pipe === 'function';
}

import type { Readable } from 'node:stream';
import { PassThrough, pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { createDownstreamFailure } from '../forward/downstream-failure.ts';
import { BODILESS } from '../syntax/http-syntax.ts';
import type { Address } from './address.ts';
import type { CallLifetime } from './call-lifetime.ts';
import type { DownstreamCaller } from './downstream-caller.ts';
import { checkHead } from './check-head.ts';
import { toOutgoingBody } from './outgoing-body.ts';

/** A call as an application describes it. */
export interface DescribedCall {
  readonly method: string;
  readonly address: Address;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly data: unknown;
  readonly lifetime: CallLifetime;
  /** Makes the error of a body that was ended from the side of the application; default the same. */
  readonly toError?: (error: Error) => Error;
  /** False where the body is wanted as it comes, compressed or not; default true. */
  readonly decompresses?: boolean;
}

/** The answer of a downstream, whose body still comes. */
export interface ReceivedAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Readable;
}

/** What downstreams are asked for: not `deflate`, which servers write in two ways. */
const ACCEPTED_CODINGS = 'gzip, br';

const DECOMPRESSORS: Readonly<Record<string, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** The headers that say how long and how compressed a body is. */
const OF_THE_CODING: ReadonlySet<string> = new Set(['content-encoding', 'content-length']);

/**
 * Makes a call to a downstream for the caller of a request, and waits for the head of the answer.
 *
 * @throws {OboUsageError} for a method and headers that cannot be sent
 * @throws {GatewayError} every refusal, and where there is no answer
 * @throws {CallerGone} when the lifetime ends before there is one
 */
export async function makeCall(caller: DownstreamCaller, call: DescribedCall): Promise<ReceivedAnswer> {
  const { method, address, lifetime, data, toError = same, decompresses = true } = call;
  checkHead(call);
  const { body, contentType, hasKnownLength } = await toOutgoingBody(data);
  const headers = completeHeaders(call.headers, { contentType, hasKnownLength });
  const answer = await caller.send({ method, ...address, headers, owner: lifetime }, body);
  const { status, rawHeaders } = answer;
  const describe = (error: Error): Error => caller.request.refuse(toError(error)) as Error;
  const received = withoutCrash(answer.read(describe));
  const coding = valueOf(rawHeaders, 'content-encoding')?.trim().toLowerCase() ?? '';
  const decompress = Object.hasOwn(DECOMPRESSORS, coding) ? DECOMPRESSORS[coding] : undefined;
  const isEmpty = method === 'HEAD' || BODILESS.has(status) || valueOf(rawHeaders, 'content-length') === '0';
  if (decompress === undefined || !decompresses || isEmpty) {
    return { status, headers: rawHeaders, body: received };
  }
  return {
    status,
    headers: without(rawHeaders, OF_THE_CODING),
    body: withoutCrash(decompressed(received, decompress(), describe)),
  };
}

/** Decompresses a body; that it cannot be decompressed is the fault of the downstream. */
function decompressed(
  received: Readable,
  decompressor: NodeJS.ReadWriteStream & Readable,
  describe: (error: Error) => Error,
): Readable {
  const named = new PassThrough({
    destroy(error, done) {
      const isOfCoding = error !== null && error === decompressor.errored && error !== received.errored;
      done(
        isOfCoding ? describe(createDownstreamFailure('downstream_invalid_response', 'its content-encoding')) : error,
      );
    },
  });
  return pipeline(received, decompressor, named, () => {});
}

function same(error: Error): Error {
  return error;
}

/** A body that breaks off because its caller left is no reason to end the process, also where nobody listens for it. */
function withoutCrash(body: Readable): Readable {
  return body.on('error', () => {});
}

function completeHeaders(
  written: readonly string[],
  { contentType, hasKnownLength }: { readonly contentType: string | undefined; readonly hasKnownLength: boolean },
): readonly string[] {
  // The length of what is in memory is counted anew: a handler may pass on the headers of another body.
  const headers = hasKnownLength ? without(written, new Set(['content-length'])) : [...written];
  const described =
    contentType === undefined ? headers : [...without(headers, new Set(['content-type'])), 'content-type', contentType];
  return valueOf(described, 'accept-encoding') === undefined
    ? [...described, 'accept-encoding', ACCEPTED_CODINGS]
    : described;
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
  return at === -1 ? undefined : headers[at + 1];
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, index) => !names.has((headers[index - (index % 2)] ?? '').toLowerCase()));
}

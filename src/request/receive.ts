import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../failures.ts';
import { NameTable } from '../syntax/name-table.ts';
import { createRequestId } from './request-id.ts';

/** The path and the query of a request, from its first line. */
export interface RequestTarget {
  /** As it was sent, still encoded. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
}

const MAX_HEADERS = 1_000;
/** The bytes of a line besides name and value: the colon, the space and the end of the line. */
const HEADER_FRAME_BYTES = 4;
/** Headers that may come once: Node shows only the first line, while every line would go on to a second reader. */
const SINGLE: readonly string[] = [
  'authorization',
  'content-length',
  'content-type',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'referer',
  'user-agent',
];
/** The bit of each of them, and 0 for any other header. */
const singleBits = new NameTable((name) => (SINGLE.includes(name) ? 1 << SINGLE.indexOf(name) : 0));
const HOST_BIT = singleBits.find('host');

const CLEAN_ID = /^[\w.:-]{1,64}$/;
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/**
 * Takes the target of a request apart. Of an absolute-form target only path and query count (RFC 9112 §3.2.2): the host
 * in it says nothing about where the caller reached the gateway.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function readTarget(url: string): RequestTarget {
  const local = url.startsWith('/') ? url : url.replace(ABSOLUTE_FORM, '');
  const cut = local.search(/[?#]/);
  const path = cut === -1 ? local : local.slice(0, cut);
  return { path: path.startsWith('/') ? path : `/${path}`, query: cut === -1 ? '' : local.slice(cut) };
}

/** Gives the id of a request: the caller's own when it is short and clean, otherwise a new one. */
export function readRequestId(req: IncomingMessage): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && CLEAN_ID.test(given) ? given : createRequestId();
}

/**
 * Receives a request, which is to say: refuses a head that Node's parser lets through although it is too long, or two
 * servers could read it in two ways.
 *
 * @param headLimitBytes of the request line and the headers
 * @throws {GatewayError} `headers_too_large`, `target_too_long`, `invalid_request`, `malformed_authorization`
 */
export function receive(req: IncomingMessage, { query }: RequestTarget, headLimitBytes: number): void {
  const { rawHeaders, url = '' } = req;
  if (url.length >= headLimitBytes) {
    throw new GatewayError('target_too_long');
  }
  if (rawHeaders.length / 2 > MAX_HEADERS) {
    throw new GatewayError('headers_too_large');
  }
  let size = url.length;
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    size += name.length + (rawHeaders[index + 1] ?? '').length + HEADER_FRAME_BYTES;
    const bit = singleBits.find(name);
    if ((seen & bit) !== 0) {
      throw refuseRepetition(name.toLowerCase());
    }
    seen |= bit;
  }
  if (size > headLimitBytes) {
    throw new GatewayError('headers_too_large');
  }
  if ((seen & HOST_BIT) === 0 && req.httpVersion !== '1.0') {
    throw new GatewayError('invalid_request', { detail: 'Send exactly one Host header.' });
  }
  const { expect, 'transfer-encoding': coding } = req.headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new GatewayError('invalid_request', { detail: 'Send no expectation but "100-continue".' });
  }
  // HTTP/1.0 has no Transfer-Encoding: a proxy in front of us that does not know it takes the chunks for more requests.
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || req.httpVersion === '1.0')) {
    throw new GatewayError('invalid_request', {
      detail: 'Send the body chunked (HTTP/1.1) or with its length, not encoded otherwise.',
    });
  }
  if (query.includes('#')) {
    throw new GatewayError('invalid_request', { detail: 'Send the target of the request without a fragment.' });
  }
}

function refuseRepetition(name: string): GatewayError {
  return name === 'authorization'
    ? new GatewayError('malformed_authorization')
    : new GatewayError('invalid_request', { detail: `Send the header ${name} once.` });
}

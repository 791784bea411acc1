import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GatewayError } from './failures.ts';

/** Where a request is addressed, as far as its first line says. */
export interface RequestTarget {
  /** As it was sent, still encoded. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
}

const MOST_HEADERS = 1_000;
const CLEAN_ID = /^[\w.:-]{1,64}$/;
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/**
 * Takes the target of a request apart. Of an absolute-form target only the path counts (RFC 9112 §3.2.2): the host in
 * it is the caller's word.
 */
export function readTarget(url: string): RequestTarget {
  const local = url.replace(ABSOLUTE_FORM, '');
  const cut = local.search(/[?#]/);
  const path = cut === -1 ? local : local.slice(0, cut);
  return { path: path.startsWith('/') ? path : `/${path}`, query: cut === -1 ? '' : local.slice(cut) };
}

/** The id of a request: the caller's own when it is short and clean, otherwise a new one. */
export function readRequestId(req: IncomingMessage): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && CLEAN_ID.test(given) ? given : randomUUID();
}

/**
 * Looks at what Node's parser lets through though two servers could read it in two ways.
 *
 * @throws {GatewayError} `headers_too_large`, `invalid_request`, `malformed_authorization`
 */
export function receive(req: IncomingMessage, { query }: RequestTarget): void {
  const { rawHeaders } = req;
  if (rawHeaders.length / 2 > MOST_HEADERS) {
    throw new GatewayError('headers_too_large');
  }
  let hosts = 0;
  let authorizations = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    hosts += isNamed(name, 'host') ? 1 : 0;
    authorizations += isNamed(name, 'authorization') ? 1 : 0;
  }
  if (authorizations > 1) {
    throw new GatewayError('malformed_authorization');
  }
  if (hosts > 1 || (hosts === 0 && req.httpVersion !== '1.0')) {
    throw new GatewayError('invalid_request', { detail: 'Send exactly one Host header.' });
  }
  if (query.includes('#')) {
    throw new GatewayError('invalid_request', { detail: 'Send the target of the request without a fragment.' });
  }
}

function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower;
}

import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../failures.ts';

const BEARER = /^bearer(?: +(.*))?$/i;
const USUAL_START = 'Bearer ';
const TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Takes what stands where the access token usually is, unchecked and without a pattern, for a look-up among the tokens
 * that {@link readBearerToken} passed before; empty when there is nothing, or nothing usual.
 */
export function peekBearerToken({ headers, url = '' }: IncomingMessage): string {
  const { authorization = '' } = headers;
  return authorization.startsWith(USUAL_START) && !hasQueryToken(url) ? authorization.slice(USUAL_START.length) : '';
}

/**
 * Takes the access token from the `Authorization` header, its only place (RFC 6750 §2.1).
 *
 * @throws {GatewayError} `missing_token` when there is none or the scheme is another; `malformed_authorization` when
 *   what stands there is not one token, or when a second one stands in the query (RFC 6750 §2)
 */
export function readBearerToken(req: IncomingMessage): string {
  const match = BEARER.exec(req.headers.authorization ?? '');
  if (match === null) {
    throw new GatewayError('missing_token');
  }
  const token = match[1] ?? '';
  if (!TOKEN.test(token) || hasQueryToken(req.url ?? '')) {
    throw new GatewayError('malformed_authorization');
  }
  return token;
}

function hasQueryToken(url: string): boolean {
  const cut = url.indexOf('?');
  return cut !== -1 && new URLSearchParams(url.slice(cut)).has('access_token');
}

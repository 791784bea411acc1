import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../failures.ts';

const BEARER = /^bearer(?: +(.*))?$/i;
const USUAL_START = 'Bearer ';
const TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Reads the access token without checking it, to look it up among the tokens that {@link readBearerToken} accepted
 * before. It uses no pattern, because every request pays for it.
 *
 * @returns the text after `Bearer `; empty when the header is missing or is written in any other way
 */
export function peekBearerToken({ headers, url = '' }: IncomingMessage): string {
  const { authorization = '' } = headers;
  return authorization.startsWith(USUAL_START) && !hasQueryToken(url) ? authorization.slice(USUAL_START.length) : '';
}

/**
 * Reads the access token from the `Authorization` header, the only place where it may be (RFC 6750 §2.1).
 *
 * @throws {GatewayError} `missing_token` when the header is missing or names another scheme; `malformed_authorization`
 *   when the header holds anything but one token, or when the query holds a second token (RFC 6750 §2)
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
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

/** True for a text that has the form of a token, so that it could stand in an `Authorization` header. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * True when a request has a token or something like it, be it in the wrong place: whoever sends one means to be somebody,
 * and what stands in the query would go on to the downstream.
 */
export function bringsToken({ headers, url = '' }: IncomingMessage): boolean {
  return headers.authorization !== undefined || hasQueryToken(url);
}

function hasQueryToken(url: string): boolean {
  const cut = url.indexOf('?');
  return cut !== -1 && new URLSearchParams(url.slice(cut)).has('access_token');
}

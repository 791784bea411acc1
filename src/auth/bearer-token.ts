import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../failures.ts';

const BEARER = /^bearer(?: +(.*))?$/i;
const TOKEN = /^[\w.~+/-]+=*$/;
const QUERY_TOKEN = /[?&]access_token=/;

/**
 * Takes the access token from the `Authorization` header, its only place (RFC 6750 §2.1).
 *
 * @throws {GatewayError} `missing_token` when there is none or the scheme is another; `malformed_authorization` when
 *   what stands there is not one token, or when a second one stands in the query (RFC 6750 §2)
 */
export function readBearerToken(req: IncomingMessage): string {
  const header = req.headers.authorization?.trim() ?? '';
  const match = BEARER.exec(header);
  if (match === null) {
    throw new GatewayError('missing_token');
  }
  const token = match[1]?.trim() ?? '';
  if (!TOKEN.test(token) || QUERY_TOKEN.test(req.url ?? '')) {
    throw new GatewayError('malformed_authorization');
  }
  return token;
}

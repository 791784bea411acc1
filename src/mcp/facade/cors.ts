import { PREFLIGHT_AGE_SECONDS } from '../../http/cors.ts';

/**
 * The CORS headers of every answer, names and values in turn: any page may ask, because no cookie and no other credential
 * of the browser is involved.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const ANSWER_HEADERS: readonly string[] = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  'Retry-After, x-request-id',
];

/** The headers of the answer to a preflight, besides those of every answer: names and values in turn. */
export function preflightHeaders(method: string): readonly string[] {
  return [
    'access-control-allow-methods',
    `${method}, OPTIONS`,
    'access-control-allow-headers',
    '*',
    'access-control-max-age',
    PREFLIGHT_AGE_SECONDS,
  ];
}

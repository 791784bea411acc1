import { METHODS, type IncomingMessage } from 'node:http';
import { GatewayError } from '../failures.ts';

/** The call of an engine's client, as the engine describes it. */
export interface DescribedCall {
  readonly method: string;
  /** Path and query as the client sent them, still encoded. */
  readonly target: string;
}

/** The names of the headers in which a dialect describes a call. */
export interface DescribingHeaders {
  readonly method: string;
  readonly target: string;
}

/** A token of RFC 9110 §5.6.2, which every method is. */
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * What engines take for a target (RFC 9112 §3.2): the origin form, the asterisk, something with http or https, or the query
 * alone, which is what nginx makes of an address without a path. What of it the proxy cannot read is a fault of the client
 * and not of its engine, see {@link refuseUnreadable}.
 */
const TARGET = /^(?:\*$|(?:[/?]|https?:)[\x21-\x7e\x80-\xff]*$)/i;

/**
 * Reads the call from two headers that the engine sets.
 *
 * @throws {GatewayError} `call_not_described` when one is missing, comes twice, or is no method or target
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-9.1
 */
export function readDescription(req: IncomingMessage, names: DescribingHeaders): DescribedCall {
  return { method: readOnce(req, names.method, METHOD), target: readOnce(req, names.target, TARGET) };
}

/**
 * Reads the call from the request line itself: its method, and what stands after a prefix of its path.
 *
 * @throws {GatewayError} `call_not_described` when nothing stands there
 */
export function readRequestLine({ method = '', url = '' }: IncomingMessage, prefix: string): DescribedCall {
  const target = url.slice(prefix.length);
  if (!TARGET.test(target) || !target.startsWith('/')) {
    throw notDescribed(`the path goes on after ${prefix} with the path of the call`);
  }
  return { method, target };
}

function readOnce({ headersDistinct }: IncomingMessage, name: string, form: RegExp): string {
  const [value, ...more] = headersDistinct[name.toLowerCase()] ?? [];
  if (value === undefined || more.length > 0 || !form.test(value)) {
    throw notDescribed(`one ${name} header describes the call`);
  }
  return value;
}

/** The methods that the parser of the proxy knows; it opens no tunnel. */
const READABLE_METHODS: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT'));

/**
 * The origin form, also without its path, the asterisk, and the absolute form with what the parser of the proxy takes for a
 * host (RFC 9112 §3.2).
 */
const READABLE_FORM = /^(?:[/?]|\*$|https?:\/\/[\w.!~*'();:&=+$,%@[\]-]*(?:[/?]|$))/i;

/** The characters of a target (RFC 3986 §2), and those that clients send without encoding them. */
const READABLE_CHARACTERS = /^[\x21-\x7e]*$/;

/** True for a method that the proxy could read. */
export function isReadableMethod(method: string): boolean {
  return READABLE_METHODS.has(method);
}

/**
 * Refuses a call that the proxy could not read: engines hand on more than the parser of the proxy takes.
 *
 * @throws {GatewayError} `invalid_request`
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-2
 */
export function refuseUnreadable({ method, target }: DescribedCall): void {
  if (!isReadableMethod(method) || !READABLE_FORM.test(target)) {
    throw new GatewayError('invalid_request');
  }
  if (!READABLE_CHARACTERS.test(target)) {
    throw new GatewayError('invalid_request', { detail: 'Encode what is not ASCII in the path and the query.' });
  }
}

/**
 * Makes the failure of an engine that does not say which call it asks about.
 *
 * @param rule what would be right
 */
export function notDescribed(rule: string): GatewayError {
  return new GatewayError('call_not_described', {
    log: { reason: `not so: ${rule}`, remedy: 'Compare the configuration of the engine with docs/engines.md.' },
  });
}

import { GatewayError } from '../failures.ts';

/** A form that can be read in one way only. */
export interface Form {
  /** The value of a parameter; `name` is in lower case, the form's own may be in any. */
  get(name: string): string | undefined;
  /** The names of its parameters, in lower case. */
  readonly names: readonly string[];
  /** The form, encoded anew: what was checked is what is sent. */
  readonly encoded: string;
}

/**
 * The characters of a parameter's name.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-8.2
 */
const NAME = /^[\w.-]+$/;

/** The characters of an encoded form; every other one must be percent-encoded. */
const ENCODED = /^[\x21-\x7e]+$/;

/**
 * A control character other than the tab, which a password may contain.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#appendix-A.16
 */
const CONTROL = /(?!\t)\p{Cc}/u;

/**
 * Reads an `application/x-www-form-urlencoded` body, or a query of that form, more strictly than browsers do, because two servers can read a
 * loose one in two ways. Each parameter may appear once (RFC 6749 §3.2). Names that differ only in case count
 * as the same, because some servers treat them so.
 *
 * @param what what the refusal calls it; default a form
 * @throws {GatewayError} `invalid_request` for a form that can be read in two ways, or not at all
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function parseForm(text: string, what: 'form' | 'query' = 'form'): Form {
  const pairs = ENCODED.test(text) ? text.split('&').map((piece) => parsePair(piece, unreadable)) : [];
  const values = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  if (pairs.length === 0) {
    throw unreadable('it is empty, or holds what must be percent-encoded');
  }
  if (values.size < pairs.length) {
    throw unreadable('a parameter is there twice');
  }
  return {
    get: (name) => values.get(name),
    names: [...values.keys()],
    encoded: new URLSearchParams(pairs).toString(),
  };

  function unreadable(why: string): GatewayError {
    return new GatewayError('invalid_request', { detail: `The ${what} cannot be read: ${why}.` });
  }
}

/** Makes the failure of a text that cannot be read. */
type Unreadable = (why: string) => GatewayError;

function parsePair(piece: string, unreadable: Unreadable): [name: string, value: string] {
  const cut = piece.indexOf('=');
  const name = decode(cut === -1 ? piece : piece.slice(0, cut), unreadable);
  const value = cut === -1 ? '' : decode(piece.slice(cut + 1), unreadable);
  if (!NAME.test(name)) {
    throw unreadable('the name of a parameter has other characters than letters, digits, -, . and _');
  }
  if (CONTROL.test(value)) {
    throw unreadable('a value has control characters');
  }
  return [name, value];
}

function decode(encoded: string, unreadable: Unreadable): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw unreadable('a parameter is not percent-encoded UTF-8');
  }
}

import { GatewayError } from '../../failures.ts';

/** A piece of a path segment: text to be found as it is, or the name of a parameter. */
export type Piece = { readonly literal: string } | { readonly parameter: string };

/** One segment of a path template, between two slashes. */
export type Segment = readonly Piece[];

/** The values of path parameters, decoded; a multi-segment value is the list of its segments. */
export type PathValues = Readonly<Record<string, string | readonly string[]>>;

/**
 * The values of path parameters as they are filled into a downstream's path: encoded, a multi-segment value with its
 * slashes.
 */
export type EncodedValues = Readonly<Record<string, string>>;

const PARAMETER = /\{([^{}]+)\}/g;

/** Takes `/orders/{id}/report.{format}` apart (OpenAPI 3.1 §4.8.8). */
export function parseTemplate(template: string): Segment[] {
  return template.replace(/^\//, '').split('/').map(parseSegment);
}

function parseSegment(segment: string): Segment {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of segment.matchAll(PARAMETER)) {
    if (match.index > end) {
      pieces.push({ literal: segment.slice(end, match.index) });
    }
    pieces.push({ parameter: match[1] ?? '' });
    end = match.index + match[0].length;
  }
  if (end < segment.length || pieces.length === 0) {
    pieces.push({ literal: segment.slice(end) });
  }
  return pieces;
}

/** True for a template with a brace that belongs to no parameter, or with a parameter without a name. */
export function hasStrayBrace(template: string): boolean {
  return /[{}]/.test(template.replaceAll(PARAMETER, ''));
}

/**
 * What some documents write into paths to tell apart what OpenAPI cannot, such as `/responses?beta=true`; the path of a
 * request never has it.
 */
export function findBeyondPath(template: string): 'query' | 'fragment' | undefined {
  const [mark] = /[?#]/.exec(template) ?? [];
  if (mark === undefined) {
    return undefined;
  }
  return mark === '?' ? 'query' : 'fragment';
}

/** The parameters that a template names, in order. */
export function namesIn(segments: readonly Segment[]): string[] {
  const names: string[] = [];
  for (const piece of segments.flat()) {
    if ('parameter' in piece) {
      names.push(piece.parameter);
    }
  }
  return names;
}

/** Two templates of the same shape match the same requests, whatever their parameters are called. */
export function shapeOf(segments: readonly Segment[]): string {
  return segments
    .map((segment) => segment.map((piece) => ('literal' in piece ? piece.literal : '{}')).join(''))
    .join('/');
}

const UNSAFE = /[\\\p{Cc}]|\/\/|%[0-9a-f]{2}/iu;
/**
 * Dot segments, also with what some servers cut off before they resolve them: spaces, and the parameters of a segment
 * from its first semicolon on (RFC 3986 §3.3). A segment of parameters alone is an empty one to them.
 */
const DOT_SEGMENT = /(?:^|\/)\s*(?:\.{1,2}\s*(?:$|[/;])|;)/;

/**
 * Decodes what a path parameter matched, once.
 *
 * @param isMatrix true for the style `matrix`, whose values begin with a semicolon
 * @throws {GatewayError} `invalid_request` when it is no valid encoding, or when the decoded value could mean another
 *   path to a server that decodes or normalises again: dot segments, `//`, a backslash, control characters, a second
 *   encoding
 */
export function decodeValue(name: string, encoded: string, isMatrix = false): string {
  const value = encoded.includes('%') ? decode(name, encoded) : encoded;
  const ownPart = isMatrix && encoded.startsWith(';') ? value.slice(1) : value;
  if (UNSAFE.test(ownPart) || DOT_SEGMENT.test(ownPart) || ownPart.startsWith('/')) {
    throw unreadable(
      name,
      'must not hold dot segments, empty segments, backslashes, control characters or a second encoding',
    );
  }
  return value;
}

/**
 * The same for a parameter that takes several segments. Each is decoded by itself, so that a slash that was encoded
 * stays inside its segment and cannot become a path that another operation guards.
 */
export function decodeSegments(name: string, encoded: string): readonly string[] {
  decodeValue(name, encoded);
  return encoded.split('/').map((segment) => decodeValue(name, segment));
}

function decode(name: string, encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw unreadable(name, 'must be percent-encoded UTF-8');
  }
}

function unreadable(name: string, detail: string): GatewayError {
  return new GatewayError('invalid_request', { errors: [{ in: 'path', name, detail }] });
}

/** What is not simply a letter, a digit or one of `-._~`, which mean the same however they are written. */
const REMARKABLE = /%[0-9A-Fa-f]{2}|[^\w.~-]/gu;
const UNRESERVED = /[\w.~-]/;
/** What RFC 3986 §3.3 allows in a segment besides; the slash parts the segments of a multi-segment value. */
const RESERVED = new Set("!$&'()*+,;=:@/");

/**
 * Writes what a path parameter matched as it goes on. A reserved character stays plain or encoded, as the caller wrote
 * it: the two are not the same thing (RFC 3986 §2.2). What a segment does not allow is encoded, and what needs no
 * encoding loses it (§6.2.2).
 *
 * @param sent a value that {@link decodeValue} can read
 */
export function normaliseValue(sent: string): string {
  return sent.replaceAll(REMARKABLE, (part) => {
    if (!part.startsWith('%') || part === '%') {
      return RESERVED.has(part) ? part : encodeURIComponent(part);
    }
    const character = String.fromCharCode(Number.parseInt(part.slice(1), 16));
    return UNRESERVED.test(character) ? character : part.toUpperCase();
  });
}

/** Makes the function that fills a downstream template with encoded values. */
export function compileFill(segments: readonly Segment[]): (values: EncodedValues) => string {
  const pieces: readonly (string | { parameter: string })[] = segments.flatMap((segment) => [
    '/',
    ...segment.map((piece) => ('literal' in piece ? encodeBeyondAscii(piece.literal) : piece)),
  ]);
  const fixed = pieces.every((piece) => typeof piece === 'string') ? pieces.join('') : undefined;
  return (values) => {
    if (fixed !== undefined) {
      return fixed;
    }
    let path = '';
    for (const piece of pieces) {
      path += typeof piece === 'string' ? piece : (values[piece.parameter] ?? '');
    }
    return path;
  };
}

function encodeBeyondAscii(literal: string): string {
  return literal.replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent);
}

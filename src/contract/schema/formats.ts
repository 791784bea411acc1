import { isIPv4 } from 'node:net';
import { isIri, isIriReference, isUri, isUriReference, isUriTemplate, isUrl } from './formats-of-addresses.ts';
import { isEmail, isHostname, isPlainIPv6 } from './formats-of-hosts.ts';
import { isDate, isDateTime, isDuration, isIsoDateTime, isIsoTime, isTime } from './formats-of-time.ts';

/**
 * The formats of JSON Schema Validation 2020-12 §7.3 and of OpenAPI that are checked. Each looks at a text once and from
 * left to right: no expression here has two ways to read the same characters. Others are annotations.
 */
const FORMATS_OF_TEXTS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['date', isDate],
  ['time', isTime],
  ['date-time', isDateTime],
  ['iso-time', isIsoTime],
  ['iso-date-time', isIsoDateTime],
  ['duration', isDuration],
  ['uri', isUri],
  ['uri-reference', isUriReference],
  ['uri-template', isUriTemplate],
  ['iri', isIri],
  ['iri-reference', isIriReference],
  ['url', isUrl],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => isIPv4(text)],
  ['ipv6', isPlainIPv6],
  ['uuid', (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)],
  ['json-pointer', isJsonPointer],
  ['json-pointer-uri-fragment', isPointerFragment],
  ['relative-json-pointer', isRelativePointer],
  ['regex', isRegularExpression],
  ['byte', isBase64],
]);

/**
 * Whole numbers of so many bits. Those that JavaScript rounds count as what they are rounded to, so that the largest of
 * 64 bits and the next one are the same.
 */
const FORMATS_OF_NUMBERS: ReadonlyMap<string, (value: number) => boolean> = new Map(
  [8, 16, 32, 64].flatMap((bits) => [
    [`int${bits}`, isWholeWithin(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)],
    [`uint${bits}`, isWholeWithin(0, 2 ** bits - 1)],
  ]),
);

function isWholeWithin(least: number, most: number): (value: number) => boolean {
  return (value) => Number.isInteger(value) && value >= least && value <= most;
}

/** The check of a format of texts; `undefined` when nothing is checked of it. */
export function formatOfTexts(name: string): ((text: string) => boolean) | undefined {
  return FORMATS_OF_TEXTS.get(name);
}

/** The check of a format of numbers; `undefined` when nothing is checked of it. */
export function formatOfNumbers(name: string): ((value: number) => boolean) | undefined {
  return FORMATS_OF_NUMBERS.get(name);
}

const STRAY_PERCENT = /%(?![0-9a-f]{2})/i;
const STRAY_TILDE = /~(?![01])/;

/** RFC 6901 §3. */
function isJsonPointer(text: string): boolean {
  return text === '' || (text.startsWith('/') && !STRAY_TILDE.test(text));
}

function isPointerFragment(text: string): boolean {
  return (
    text.startsWith('#') &&
    isJsonPointer(text.slice(1)) &&
    !STRAY_PERCENT.test(text) &&
    !/[^\w\-.!$&'()*+,;:=@%~/]/.test(text.slice(1))
  );
}

function isRelativePointer(text: string): boolean {
  const levels = /^(?:0|[1-9]\d*)/.exec(text)?.[0];
  const rest = text.slice(levels?.length);
  return levels !== undefined && (rest === '#' || isJsonPointer(rest));
}

/** Of longer ones nobody can say in a moment what they are. */
const MAX_EXPRESSION = 4_096;

/** ECMA-262 §22.2.1 with the flag `u`, as JSON Schema reads patterns. */
function isRegularExpression(text: string): boolean {
  if (text.length > MAX_EXPRESSION) {
    return false;
  }
  try {
    // It is read and never used.
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

/** RFC 4648 §4. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding));
}

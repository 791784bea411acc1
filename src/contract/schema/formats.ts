import { isIPv4, isIPv6 } from 'node:net';

/**
 * The formats of JSON Schema Validation 2020-12 §7.3 and of OpenAPI that are checked. Each looks at a text once and from
 * left to right: no expression here has two ways to read the same characters. Others are annotations.
 */
const FORMATS_OF_TEXTS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['date', isDate],
  ['time', (text) => isTime(text, true)],
  ['date-time', (text) => isDateTime(text, true)],
  ['iso-time', (text) => isTime(text, false)],
  ['iso-date-time', (text) => isDateTime(text, false)],
  ['duration', isDuration],
  ['uri', (text) => isUri(text, true)],
  ['uri-reference', (text) => isUri(text, false)],
  ['uri-template', isUriTemplate],
  ['url', isUrl],
  ['email', isEmail],
  ['hostname', isHostname],
  ['ipv4', (text) => isIPv4(text)],
  ['ipv6', (text) => isIPv6(text) && !text.includes('%')],
  ['uuid', (text) => /^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)],
  ['json-pointer', isJsonPointer],
  ['json-pointer-uri-fragment', isPointerFragment],
  ['relative-json-pointer', isRelativePointer],
  ['regex', isRegularExpression],
  ['byte', isBase64],
]);

const FORMATS_OF_NUMBERS: ReadonlyMap<string, (value: number) => boolean> = new Map([
  ['int32', (value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31],
  ['int64', (value) => Number.isInteger(value)],
]);

/** The check of a format of texts; `undefined` when nothing is checked of it. */
export function formatOfTexts(name: string): ((text: string) => boolean) | undefined {
  return FORMATS_OF_TEXTS.get(name);
}

/** The check of a format of numbers; `undefined` when nothing is checked of it. */
export function formatOfNumbers(name: string): ((value: number) => boolean) | undefined {
  return FORMATS_OF_NUMBERS.get(name);
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339 §5.6. */
function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = (DATE.exec(text)?.slice(1) ?? []).map(Number);
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeapYear ? 29 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= last;
}

const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:(z)|([+-])(\d\d)(?::?(\d\d))?)?$/i;

function isTime(text: string, needsZone: boolean): boolean {
  const found = TIME.exec(text);
  if (found === null) {
    return false;
  }
  const [, hours = '', minutes = '', seconds = '', utc, sign, zoneHours = '0', zoneMinutes = '0'] = found;
  if ((needsZone && utc === undefined && sign === undefined) || Number(zoneHours) > 23 || Number(zoneMinutes) > 59) {
    return false;
  }
  if (Number(hours) > 23 || Number(minutes) > 59) {
    return false;
  }
  // A leap second comes at the end of the day of UTC (RFC 3339 §5.7).
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1);
  const minuteOfDay = (Number(hours) * 60 + Number(minutes) - offset + 2 * 1_440) % 1_440;
  return Number(seconds) < 60 || (Number(seconds) === 60 && minuteOfDay === 1_439);
}

const DATE_LENGTH = 10;

function isDateTime(text: string, needsZone: boolean): boolean {
  const separator = text[DATE_LENGTH] ?? '';
  return (
    /[t\s]/i.test(separator) && isDate(text.slice(0, DATE_LENGTH)) && isTime(text.slice(DATE_LENGTH + 1), needsZone)
  );
}

const DURATION_OF_WEEKS = /^P\d+W$/;
const DURATION = /^P(?=\d|T)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?$/;

/** RFC 3339 appendix A. */
function isDuration(text: string): boolean {
  return DURATION_OF_WEEKS.test(text) || DURATION.test(text);
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const NOT_IN_URI = /[^\w.~!$&'()*+,;=:@/?#[\]%-]/;
const STRAY_PERCENT = /%(?![0-9a-f]{2})/i;
const PORT = /^(?::\d*)?$/;

/** RFC 3986 appendix A. */
function isUri(text: string, needsScheme: boolean): boolean {
  if (NOT_IN_URI.test(text) || STRAY_PERCENT.test(text)) {
    return false;
  }
  const scheme = SCHEME.exec(text)?.[0];
  if (scheme === undefined && needsScheme) {
    return false;
  }
  const [withoutFragment, fragment] = cut(text.slice(scheme?.length ?? 0), '#');
  const [hierarchy, query = ''] = cut(withoutFragment, '?');
  if (/[#[\]]/.test(fragment ?? '') || /[[\]]/.test(query)) {
    return false;
  }
  if (hierarchy.startsWith('//')) {
    const [authority, path = ''] = cut(hierarchy.slice(2), '/');
    return isAuthority(authority) && !/[[\]]/.test(path);
  }
  // Without a scheme, a colon in the first segment would make one (RFC 3986 §4.2).
  return !/[[\]]/.test(hierarchy) && (scheme !== undefined || !cut(hierarchy, '/')[0].includes(':'));
}

function isAuthority(authority: string): boolean {
  const [hostAndPort = '', ...user] = authority.split('@').toReversed();
  if (user.length > 1 || /[[\]]/.test(user[0] ?? '')) {
    return false;
  }
  if (hostAndPort.startsWith('[')) {
    const end = hostAndPort.indexOf(']');
    const address = hostAndPort.slice(1, end);
    const isAddress =
      (isIPv6(address) && !address.includes('%')) || /^v[0-9a-f]+\.[\w.~!$&'()*+,;=:-]+$/i.test(address);
    return end > 0 && isAddress && PORT.test(hostAndPort.slice(end + 1));
  }
  const [host, ...ports] = hostAndPort.split(':');
  return !/[[\]]/.test(host ?? '') && ports.length <= 1 && /^\d*$/.test(ports[0] ?? '');
}

/** What stands before the first mark, and what after it, if there is one. */
function cut(text: string, mark: string): [before: string, after?: string] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

const NOT_IN_TEMPLATE = /[\p{Cc} "<>\\^`|}]/u;
const MODIFIER = /(?::[1-9]\d{0,3}|\*)$/;

/** RFC 6570 §2. */
function isUriTemplate(text: string): boolean {
  const [start = '', ...parts] = text.split('{');
  return isTemplateLiteral(start) && parts.every(isExpressionAndLiteral);
}

function isExpressionAndLiteral(part: string): boolean {
  const [expression, literal] = cut(part, '}');
  const variables = expression.replace(/^[+#./;?&=,!@|]/, '').split(',');
  return literal !== undefined && isTemplateLiteral(literal) && variables.every(isTemplateVariable);
}

function isTemplateLiteral(literal: string): boolean {
  return !NOT_IN_TEMPLATE.test(literal) && !STRAY_PERCENT.test(literal);
}

function isTemplateVariable(variable: string): boolean {
  const name = variable.replace(MODIFIER, '');
  return name !== '' && !/[^\w.%]/.test(name) && !STRAY_PERCENT.test(name);
}

/** An address of the web: a scheme of it, a host, and no white space. */
function isUrl(text: string): boolean {
  const scheme = /^(?:https?|ftp):\/\//i.exec(text)?.[0];
  if (scheme === undefined || /\s/.test(text)) {
    return false;
  }
  const end = text.slice(scheme.length).search(/[/?#]/);
  const authority = end === -1 ? text.slice(scheme.length) : text.slice(scheme.length, scheme.length + end);
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d{1,5}$/, '');
  return host !== '' && (isIPv6(host.replace(/^\[/, '').replace(/\]$/, '')) || !/[^\p{L}\p{N}\p{M}.-]/u.test(host));
}

const NOT_IN_LOCAL_PART = /[^\w.!#$%&'*+/=?^`{|}~-]/;

/** RFC 5321 §4.1.2 without quoted names. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  const [name, domain] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  const hasDots = !name.startsWith('.') && !name.endsWith('.') && !name.includes('..');
  return name !== '' && hasDots && !NOT_IN_LOCAL_PART.test(name) && domain.includes('.') && isHostname(domain);
}

const MAX_HOSTNAME = 254;

/** RFC 1123 §2.1. */
function isHostname(text: string): boolean {
  return (
    text.length <= MAX_HOSTNAME &&
    text
      .replace(/\.$/, '')
      .split('.')
      .every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(label))
  );
}

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

function isRegularExpression(text: string): boolean {
  if (text.length > MAX_EXPRESSION || /[^\\]\\Z/.test(text)) {
    return false;
  }
  try {
    // It is read and never used.
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** RFC 4648 §4. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding));
}

import { isPlainIPv6 } from './formats-of-hosts.ts';

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const NOT_IN_URI = /[^\w.~!$&'()*+,;=:@/?#[\]%-]/;
const STRAY_PERCENT = /%(?![0-9a-f]{2})/i;
const PORT = /^(?::\d*)?$/;

/** RFC 3986 §3. */
export function isUri(text: string): boolean {
  return SCHEME.test(text) && isUriReference(text);
}

/** RFC 3986 §4.1. */
export function isUriReference(text: string): boolean {
  if (NOT_IN_URI.test(text) || STRAY_PERCENT.test(text)) {
    return false;
  }
  const scheme = SCHEME.exec(text)?.[0];
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

/** What an IRI may hold beyond ASCII: in its query, also characters for private use (RFC 3987 §2.2). */
const UCS =
  /[\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]|(?!\p{Noncharacter_Code_Point})[\u{10000}-\u{dffff}\u{e1000}-\u{effff}]/gu;
const PRIVATE = /[\ue000-\uf8ff\u{f0000}-\u{ffffd}\u{100000}-\u{10fffd}]/gu;
const QUERY = /^([^?#]*)(\?[^#]*)/;

/** RFC 3987 §2.2. */
export function isIri(text: string): boolean {
  return isUri(toUri(text));
}

/** RFC 3987 §2.2. */
export function isIriReference(text: string): boolean {
  return isUriReference(toUri(text));
}

/** An address of the same form. */
function toUri(iri: string): string {
  return iri
    .replace(QUERY, (_, path: string, query: string) => `${path}${query.replace(PRIVATE, 'a')}`)
    .replace(UCS, 'a');
}

function isAuthority(authority: string): boolean {
  const [hostAndPort = '', ...user] = authority.split('@').toReversed();
  if (user.length > 1 || /[[\]]/.test(user[0] ?? '')) {
    return false;
  }
  if (hostAndPort.startsWith('[')) {
    const end = hostAndPort.indexOf(']');
    const address = hostAndPort.slice(1, end);
    const isAddress = isPlainIPv6(address) || /^v[0-9a-f]+\.[\w.~!$&'()*+,;=:-]+$/i.test(address);
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
const VARIABLE = /^[\w%]+(?:\.[\w%]+)*$/;
const MODIFIER = /(?::[1-9]\d{0,3}|\*)$/;

/** RFC 6570 §2. */
export function isUriTemplate(text: string): boolean {
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
  return VARIABLE.test(name) && !STRAY_PERCENT.test(name);
}

/** An address of the web: a scheme of it, a host, and no white space. */
export function isUrl(text: string): boolean {
  const scheme = /^(?:https?|ftp):\/\//i.exec(text)?.[0];
  if (scheme === undefined || /\s/.test(text)) {
    return false;
  }
  const end = text.slice(scheme.length).search(/[/?#]/);
  const authority = end === -1 ? text.slice(scheme.length) : text.slice(scheme.length, scheme.length + end);
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d{1,5}$/, '');
  return (
    host !== '' && (isPlainIPv6(host.replace(/^\[/, '').replace(/\]$/, '')) || !/[^\p{L}\p{N}\p{M}.-]/u.test(host))
  );
}

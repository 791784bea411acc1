import { NameTable } from '../syntax/name-table.ts';

/**
 * Headers of answers that hold an address: Location (RFC 9110 §10.2.2), Content-Location (§8.7), Link (RFC 8288 §3),
 * and two of the guidelines for Azure's APIs.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.2
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.7
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 * @see https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md
 */
const ADDRESSES: ReadonlySet<string> = new Set([
  'azure-asyncoperation',
  'content-location',
  'link',
  'location',
  'operation-location',
]);

/**
 * The first letter of each of these names, in lower case, by the length of the name (no two are of one length). To
 * compare length and letter rules out nearly every other header, and costs less than a look-up.
 */
const INITIALS: readonly number[] = [...ADDRESSES].reduce<number[]>(
  (initials, name) => {
    initials[name.length] = name.charCodeAt(0);
    return initials;
  },
  Array.from({ length: 64 }, () => 0),
);

/** The links of one line that are kept: no paging needs more, and one line of a downstream cannot keep us busy. */
const MAX_LINKS = 250;

const kinds = new NameTable((lower) => (ADDRESSES.has(lower) ? (lower === 'link' ? 'links' : 'address') : 'other'));

/** True when some header holds an address. Few answers have one, and the others should not pay for the rewriting. */
export function holdsAddress(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (INITIALS[name.length] === (name.charCodeAt(0) | 0x20) && kinds.find(name) !== 'other') {
      return true;
    }
  }
  return false;
}

/**
 * Rewrites the addresses in the headers of an answer.
 *
 * @param headers names and values in turn
 * @param rewrite returns the address to write instead, or `undefined` to drop the header or the link
 */
export function rewriteAddresses(
  headers: readonly string[],
  rewrite: (address: string) => string | undefined,
): string[] {
  const rewritten: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const before = headers[index + 1] ?? '';
    const kind = kinds.find(name);
    const value = kind === 'other' ? before : kind === 'links' ? rewriteLinks(before, rewrite) : rewrite(before);
    if (value !== undefined) {
      rewritten.push(name, value);
    }
  }
  return rewritten;
}

/**
 * Rewrites `<target>; parameters, <target>; parameters` (RFC 8288 §3), and drops what is not of this form.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
function rewriteLinks(line: string, rewrite: (address: string) => string | undefined): string | undefined {
  const links: string[] = [];
  for (let at = 0, count = 0; at < line.length && count < MAX_LINKS; count += 1) {
    const begin = skipSeparators(line, at);
    const isLink = line[begin] === '<';
    const close = isLink ? line.indexOf('>', begin) : begin;
    if (close === -1) {
      break;
    }
    const end = endOfLink(line, isLink ? close + 1 : begin);
    const target = isLink ? rewrite(line.slice(begin + 1, close).trim()) : undefined;
    if (target !== undefined) {
      links.push(`<${target}>${line.slice(close + 1, end).trimEnd()}`);
    }
    at = end;
  }
  return links.length === 0 ? undefined : links.join(', ');
}

function skipSeparators(line: string, from: number): number {
  let at = from;
  while (at < line.length && /[\s,]/.test(line[at] ?? '')) {
    at += 1;
  }
  return at;
}

/** Finds the next comma outside quoted text, or the end of the line. */
function endOfLink(line: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at < line.length; at += 1) {
    const character = line[at];
    if (character === '"') {
      isQuoted = !isQuoted;
    } else if (character === '\\' && isQuoted) {
      at += 1;
    } else if (character === ',' && !isQuoted) {
      return at;
    }
  }
  return line.length;
}

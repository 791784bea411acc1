import type { ServerResponse } from 'node:http';

/**
 * Writes the head of an answer. Where middleware of an application has put a `writeHead` of its own in the place of
 * Node's, each header is set by its name: what compresses answers or keeps sessions looks for them there, and older
 * versions of on-headers, on which much of it builds, take a list of names and values for something else
 * (CVE-2025-7339).
 *
 * @param headers names and values in turn; those that were set before and have the same name are replaced
 * @param reason default the usual phrase of the status
 */
export function writeHead(res: ServerResponse, status: number, headers: string[], reason?: string): void {
  const isReplaced = Object.hasOwn(res, 'writeHead');
  if (isReplaced) {
    setHeaders(res, headers);
  }
  const list = isReplaced ? undefined : headers;
  if (reason === undefined) {
    res.writeHead(status, list);
  } else {
    res.writeHead(status, reason, list);
  }
}

function setHeaders(res: ServerResponse, headers: readonly string[]): void {
  const byName = new Map<string, string[]>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const key = name.toLowerCase();
    const values = byName.get(key) ?? [];
    values.push(headers[index + 1] ?? '');
    byName.set(key, values);
  }
  for (const [name, [first = '', ...more]] of byName) {
    res.setHeader(name, more.length === 0 ? first : [first, ...more]);
  }
}

import { GatewayError } from '../failures.ts';
import { OboUsageError } from './usage-error.ts';

/** Where a call goes, below the base address of its downstream. */
export interface Address {
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]*/i;

/** How often an encoded text can be encoded once more before nobody decodes it as often. */
const DECODINGS = 3;

const NOT_PASSED_ON = 'A part of the path cannot be passed on.';

/**
 * Reads where a call goes. It is taken only below the base address of the downstream: a token for one API must not reach
 * another, however the address was written.
 *
 * @param url the whole address, as the application wrote it
 * @throws {OboUsageError} for an address that is not below the base address
 * @throws {GatewayError} `invalid_request` for a path that leads out of itself, as `..` does
 */
export function readAddress(
  url: string,
  { name, baseUrl }: { readonly name: string; readonly baseUrl: string },
): Address {
  const origin = ORIGIN.exec(url)?.[0];
  const base = new URL(baseUrl);
  if (origin === undefined || !URL.canParse(url) || !isSameOrigin(new URL(url), base)) {
    throw notBelow(name, baseUrl);
  }
  const rest = url.slice(origin.length);
  const written = /^[^?#]*/.exec(rest)?.[0] ?? '';
  refuseUnsafe(written);
  const { pathname, search } = new URL(url);
  const basePath = base.pathname.replace(/\/$/, '');
  if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) {
    throw notBelow(name, baseUrl);
  }
  const path = pathname.slice(basePath.length);
  return { path: path === '' && basePath === '' ? '/' : path, query: search };
}

/** True for an address that names a host; browsers and `URL` read backslashes as slashes. */
export function isAbsolute(url: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:)?[\\/]{2}/i.test(url);
}

function isSameOrigin(url: URL, base: URL): boolean {
  return url.origin === base.origin && url.username === '' && url.password === '';
}

function notBelow(name: string, baseUrl: string): OboUsageError {
  return new OboUsageError(
    `obo.downstream(req, '${name}') calls only what is below ${baseUrl}. Pass a path such as '/items', or the address of ` +
      'another API to the downstream of that API. No token was fetched.',
  );
}

/**
 * A dot segment, also with what some servers cut off before they resolve it: spaces, and the parameters of a segment
 * (RFC 3986 §3.3).
 */
const DOT_SEGMENT = /(?:^|\/)\s*\.{1,2}\s*(?:$|[/;])/;

/** Refuses what servers read in two ways: dot segments, backslashes and control characters, however they are encoded. */
function refuseUnsafe(written: string): void {
  let text = written;
  for (let times = 0; times <= DECODINGS; times += 1) {
    if (/[\p{Cc}\\]/u.test(text) || DOT_SEGMENT.test(text)) {
      throw new GatewayError('invalid_request', {
        detail: NOT_PASSED_ON,
        log: { reason: 'the path of a call to a downstream has .. or another part that leads elsewhere' },
      });
    }
    text = text.replaceAll(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

import { isIP } from 'node:net';
import { z } from 'zod';
import { CHALLENGE_SAFE, GUID } from '../../syntax/http-syntax.ts';
import { parseDuration, parseSize } from '../../syntax/units.ts';

/*
 * The kinds of values that gateway.yaml consists of. A message says what is allowed; `describeIssues` adds what was
 * found.
 */

/** Digits, or a reference: an editor that checks the file sees `${PORT}`, the gateway sees its value. */
const NUMBER_OR_VARIABLE = /^(?:\d+|\$\{\w+\})$/;

const MIN_HEAD_LIMIT = 1_024;
const MAX_HEAD_LIMIT = 1_024 * 1_024;

/** Hybrid apps have origins of their own schemes (`capacitor://localhost`), which URL calls opaque. */
const HYBRID_ORIGIN = /^(?:capacitor|ionic|app|tauri):\/\/[a-z0-9.-]+$/;

const SOME_TIME = 'a duration such as 30s or 1m, not zero';

/** A value that is written as a text, and read as something else. */
type Read<Value> = z.ZodPipe<z.ZodString, z.ZodTransform<Value, string>>;

/** A text of at least one character. */
export function text(allowed: string): z.ZodString {
  return z.string({ error: allowed }).min(1, { error: allowed });
}

/** A duration, in milliseconds once it is read; it may be zero. */
export function duration(byDefault: string): z.ZodPrefault<Read<number>> {
  const allowed = 'a duration such as 500ms, 30s or 5m';
  return quantity(parseDuration, allowed).prefault(byDefault);
}

/**
 * The time after which something is given up, in milliseconds once it is read: not zero, which would be at once; `none`
 * is never, read as `undefined`.
 */
export function timeLimit(byDefault: string): z.ZodPrefault<Read<number | undefined>> {
  const allowed = "a duration such as 500ms, 30s or 5m, not zero, or 'none'";
  return text(allowed)
    .transform((value, context): number | undefined => {
      const parsed = value === 'none' ? undefined : parseDuration(value);
      if (value !== 'none' && (parsed === undefined || parsed === 0)) {
        context.issues.push({ code: 'custom', message: allowed, input: value });
        return z.NEVER;
      }
      return parsed;
    })
    .prefault(byDefault);
}

/** A size, in bytes once it is read. */
export function size(byDefault: string): z.ZodPrefault<Read<number>> {
  const allowed = 'a size such as 64kb, 10mb or 2gb';
  return quantity(parseSize, allowed).prefault(byDefault);
}

function quantity(parse: (text: string) => number | undefined, allowed: string): Read<number> {
  return text(allowed).transform((value, context) => {
    const parsed = parse(value);
    if (parsed === undefined) {
      context.issues.push({ code: 'custom', message: allowed, input: value });
      return z.NEVER;
    }
    return parsed;
  });
}

/** A whole number; digits in a text count too, because `${PORT}` is a text. */
export function wholeNumber(
  minimum: number,
  maximum: number,
  allowed = `a whole number from ${minimum} to ${maximum}`,
): z.ZodUnion<readonly [z.ZodInt, Read<number>]> {
  return z
    .union([z.int(), z.string().regex(NUMBER_OR_VARIABLE).transform(Number)], { error: allowed })
    .refine((value) => value >= minimum && value <= maximum, { error: allowed });
}

/** An address without user, query and fragment that is one of those allowed; read without a slash at its end. */
export function webAddress(allowed: string, accepts: (url: URL) => boolean): Read<string> {
  return text(allowed)
    .refine((value) => URL.canParse(value) && isPlainAddress(new URL(value)) && accepts(new URL(value)), {
      error: allowed,
    })
    .transform((value) => new URL(value).href.replace(/[?#]+$/, '').replace(/\/+$/, ''));
}

/** True for an address without user, query and fragment, from which nothing breaks out of a challenge parameter. */
function isPlainAddress(url: URL): boolean {
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && /^https?:$/.test(url.protocol) && !/[,=%"\\]/.test(url.href);
}

function isCidr(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  const widest = family === 4 ? 32 : 128;
  return (
    family !== 0 && rest.length === 0 && (prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= widest))
  );
}

/** Networks, as addresses or CIDRs. */
export const cidrList = z.array(
  text('an address or CIDR').refine(isCidr, { error: 'an IP address or a CIDR such as 10.0.0.0/8' }),
  { error: 'a list of CIDRs' },
);

/** A port to listen on; 0 is any that is free. */
export function port(byDefault: number): z.ZodDefault<ReturnType<typeof wholeNumber>> {
  return wholeNumber(0, 65_535).default(byDefault);
}

/** Origins of pages, which are compared as they are. */
export const originList = z.array(
  text('an origin').refine(isExactOrigin, {
    error: 'an exact origin such as https://app.contoso.com, without a path',
  }),
  { error: 'a list of origins' },
);

function isExactOrigin(value: string): boolean {
  return HYBRID_ORIGIN.test(value) || (URL.canParse(value) && new URL(value).origin === value);
}

/**
 * The name of a header (RFC 9110 §5.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.1
 */
export const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The size of the head of a request or an answer, in bytes once it is read. */
export function headSize(byDefault: string): z.ZodPrefault<Read<number>> {
  return size(byDefault).refine((bytes) => bytes >= MIN_HEAD_LIMIT && bytes <= MAX_HEAD_LIMIT, {
    error: `a size from 1kb to 1mb, such as ${byDefault}`,
  });
}

/** TLS of a listener; all three are files. */
export const listenerTls = z.strictObject({
  cert: text('the path of a PEM certificate').describe('The certificate, and behind it those of its authorities.'),
  key: text('the path of the PEM private key of the certificate').describe('Its private key.'),
  clientCa: text('the path of a PEM file with certificates')
    .optional()
    .describe('The authorities one of which must vouch for the certificate that every client then has to show.'),
});

/** How many requests an address may make in which time: for endpoints whose callers have not proved who they are. */
export const rateLimit = z
  .strictObject({
    requests: wholeNumber(1, 1_000_000).default(60),
    per: quantity(parseDuration, SOME_TIME)
      .refine((milliseconds) => milliseconds > 0, { error: SOME_TIME })
      .prefault('1m'),
  })
  .prefault({})
  .describe('How many requests each client address may make in a time; each worker counts for itself.');

/**
 * An id of Entra, read in small letters, in which tokens have it.
 *
 * @param named - what has the id: the message where there is no text
 * @param allowed - the message where the text is no GUID
 */
export function guid(named: string, allowed = `${named} (a GUID)`): z.ZodString {
  return text(named)
    .refine((value) => GUID.test(value), { error: allowed })
    .toLowerCase();
}

/** The id of an app registration. */
export const clientId = guid('an application (client) id');

/** A scope or an app role, as operations ask for them and challenges name them. */
export const permission = text('a scope or role').refine((name) => CHALLENGE_SAFE.test(name), {
  error: 'a scope or role without spaces, commas, quotes, = and %',
});

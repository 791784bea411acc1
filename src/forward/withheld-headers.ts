import { HOP_BY_HOP } from './request-headers.ts';

/** Headers of answers that have one purpose, and the specifications that give it to them. */
interface Withheld {
  readonly purpose: string;
  readonly source: string;
  /** In lower case. */
  readonly names?: readonly string[];
  /** What names begin with, in lower case. */
  readonly prefixes?: readonly string[];
}

/**
 * The headers that never pass from a downstream to a caller, by purpose. A header is in this list when its effect goes
 * beyond its own answer: to the whole address, which many downstreams share, to the caller's relation to the gateway,
 * or to a server in front of it. Headers about one answer or one page pass (Content-Security-Policy,
 * Permissions-Policy, Cross-Origin-*, Vary, Link).
 */
export const WITHHELD: readonly Withheld[] = [
  {
    purpose: 'belongs to one connection',
    source: 'RFC 9110 §7.6.1, RFC 9112 §9.3',
    names: [...HOP_BY_HOP],
  },
  {
    purpose: 'asks for credentials, in a name that is not ours',
    source: 'RFC 9110 §11.6, §11.7; RFC 8053',
    names: [
      'authentication-control',
      'optional-www-authenticate',
      'proxy-authenticate',
      'proxy-authentication-info',
      'www-authenticate',
    ],
  },
  {
    purpose: 'sets cookies or sessions for the whole address',
    source: 'RFC 6265 §4.1, RFC 2965; W3C Device Bound Session Credentials',
    names: [
      'sec-session-challenge',
      'sec-session-registration',
      'secure-session-challenge',
      'secure-session-registration',
      'set-cookie',
      'set-cookie2',
    ],
  },
  {
    purpose: 'tells the browser who is signed in here',
    source: 'W3C Login Status API; W3C Storage Access Headers',
    names: ['activate-storage-access', 'set-login'],
  },
  {
    purpose: 'says how the whole host is reached',
    source: 'RFC 6797 (HSTS), RFC 7469 (HPKP), RFC 9163 (Expect-CT), RFC 7838 §3',
    names: [
      'alt-svc',
      'expect-ct',
      'public-key-pins',
      'public-key-pins-report-only',
      'strict-transport-security',
      'x-permitted-cross-domain-policies',
    ],
  },
  {
    purpose: 'clears or partitions what the browser keeps of the whole origin, or takes it over',
    source: 'W3C Clear Site Data; HTML §7.1.1 (Origin-Agent-Cluster); W3C Service Workers §6.1; RFC 9842 §2.1',
    names: ['clear-site-data', 'origin-agent-cluster', 'service-worker-allowed', 'use-as-dictionary'],
  },
  {
    purpose: 'writes what the browser keeps for advertising',
    source: 'W3C Attribution Reporting, Topics, Protected Audience, Shared Storage',
    names: ['observe-browsing-topics', 'shared-storage-write'],
    prefixes: ['ad-auction-', 'attribution-reporting-'],
  },
  {
    purpose: 'has reports about our visitors sent elsewhere',
    source: 'W3C Network Error Logging; W3C Reporting API',
    names: ['nel', 'report-to', 'reporting-endpoints'],
  },
  {
    purpose: 'asks browsers to tell more of themselves in every later request',
    source: 'RFC 8942 §3.1; W3C Client Hints Reliability',
    names: ['accept-ch', 'accept-ch-lifetime', 'critical-ch'],
  },
  {
    purpose: 'sets policies for the document and all that it embeds, or lets pages load others beforehand',
    source: 'W3C Document Policy; W3C Speculation Rules',
    names: [
      'document-policy',
      'document-policy-report-only',
      'require-document-policy',
      'speculation-rules',
      'supports-loading-mode',
    ],
  },
  {
    purpose: 'leads to source code',
    source: 'ECMA-426 §11.1',
    names: ['sourcemap', 'x-sourcemap'],
  },
  {
    purpose: 'commands a server in front: another file, another address, another cache',
    source: 'nginx X-Accel; Apache and lighttpd X-Sendfile; LiteSpeed; Perlbal X-Reproxy; W3C Edge Architecture 1.0',
    names: ['edge-control', 'surrogate-control'],
    prefixes: ['x-accel-', 'x-lighttpd-send-', 'x-litespeed-', 'x-reproxy', 'x-sendfile'],
  },
  {
    purpose: 'says who may read answers, which is for `server.cors`, or how they are taken, which we say ourselves',
    source: 'Fetch §3.2, §3.5',
    names: ['x-content-type-options'],
    prefixes: ['access-control-'],
  },
  {
    purpose: 'is ours to say',
    source: 'the gateway',
    names: ['x-request-id'],
  },
];

const NAMES: ReadonlySet<string> = new Set(WITHHELD.flatMap(({ names = [] }) => names));
const PREFIXES: readonly string[] = WITHHELD.flatMap(({ prefixes = [] }) => prefixes);

/** It says only that its own answer is a stream, which nginx and its like would otherwise hold up. */
const UNBUFFERED = 'x-accel-buffering';

/**
 * True for a header that never passes from a downstream to a caller.
 *
 * @param name in lower case
 */
export function isWithheld(name: string): boolean {
  if (name === UNBUFFERED) {
    return false;
  }
  return NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
}

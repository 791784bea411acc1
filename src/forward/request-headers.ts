import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { isIP } from 'node:net';

/** Headers that belong to one connection and never to the next (RFC 9110 §7.6.1), both ways. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a caller may never tell a downstream: who it is, another method or path, and what the connection decides. */
const NEVER_FROM_CALLERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'cookie',
  'expect',
  'host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-request-id',
  'x-rewrite-url',
]);

/** What was checked must arrive as what it was checked as, whatever `Connection` says. */
const DESCRIBES_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-length', 'content-type']);

/** Prefixes by which proxies and platforms speak to the servers behind them. */
const NEVER_PREFIXES = ['proxy-', 'x-ms-'] as const;

/** What only a trusted proxy may say about where a request came from. */
const FORWARDING: ReadonlySet<string> = new Set(['forwarded', 'x-real-ip']);
const FORWARDING_PREFIX = 'x-forwarded-';

/** Which headers of a request go on to a downstream, and which are made anew. */
export interface RequestHeaderRules {
  /** How clients reach the gateway: what downstreams read as X-Forwarded-Host and -Proto. */
  readonly publicUrl: URL;
  readonly trustedProxies: BlockList;
}

/** What we say ourselves. */
export interface OwnHeaders {
  readonly requestId: string;
  /** The downstream's token; absent for an anonymous operation. */
  readonly token: { readonly accessToken: string } | undefined;
}

/**
 * The one sanitiser of request headers, for the first send and for a replay. Values are copied as they are, in their
 * order, and repeated headers stay repeated.
 *
 * @returns names and values in turn
 */
export function selectRequestHeaders(req: IncomingMessage, rules: RequestHeaderRules, own: OwnHeaders): string[] {
  const { rawHeaders } = req;
  const peer = req.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  const isTrusted = isTrustedPeer(peer, rules.trustedProxies);
  const named = namedByConnection(req.headers.connection);
  const headers: string[] = [];
  const forwarding = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const lower = name.toLowerCase();
    if (FORWARDING.has(lower) || lower.startsWith(FORWARDING_PREFIX)) {
      rememberForwarding(forwarding, lower, value);
    } else if (mayPass(lower, value) && (named?.has(lower) !== true || DESCRIBES_BODY.has(lower))) {
      headers.push(name, value);
    }
  }
  pushForwarding(headers, isTrusted ? forwarding : new Map(), peer, rules.publicUrl);
  headers.push('x-request-id', own.requestId);
  if (own.token !== undefined) {
    headers.push('authorization', `Bearer ${own.token.accessToken}`);
  }
  return headers;
}

/** The headers that `Connection` names, which are then hop-by-hop too; `undefined` for the usual values. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') {
    return undefined;
  }
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
}

/** W3C Trace Context §3.2; what does not fit starts no trace downstream. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x20-\x7e]*)?$/;

function mayPass(name: string, value: string): boolean {
  if (name === 'traceparent') {
    return TRACEPARENT.test(value);
  }
  return (
    !NEVER_FROM_CALLERS.has(name) && !NEVER_PREFIXES.some((prefix) => name.startsWith(prefix)) && !name.includes('_')
  );
}

function rememberForwarding(forwarding: Map<string, string>, name: string, value: string): void {
  const earlier = forwarding.get(name);
  forwarding.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

/** A trusted proxy's word is kept and continued; everyone else's is replaced by what we see ourselves. */
function pushForwarding(headers: string[], believed: ReadonlyMap<string, string>, peer: string, publicUrl: URL): void {
  const chain = believed.get('x-forwarded-for');
  const all = new Map([
    ['x-forwarded-host', publicUrl.host],
    ['x-forwarded-proto', publicUrl.protocol.slice(0, -1)],
    ...believed,
    ['x-forwarded-for', chain === undefined ? peer : `${chain}, ${peer}`],
  ]);
  for (const [name, value] of all) {
    headers.push(name, value);
  }
}

function isTrustedPeer(peer: string, trusted: BlockList): boolean {
  const family = isIP(peer);
  return family !== 0 && trusted.check(peer, family === 4 ? 'ipv4' : 'ipv6');
}

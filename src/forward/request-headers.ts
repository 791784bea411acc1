import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { isTrusted, peerAddress } from '../client-address.ts';
import { NameTable } from './name-table.ts';

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
  /** The proxies whose word about where a request came from is believed; absent when there are none. */
  readonly trustedProxies: BlockList | undefined;
}

/** What we say ourselves. */
export interface OwnHeaders {
  readonly requestId: string;
  /** The downstream's token; absent for an anonymous operation. */
  readonly token: { readonly authorization: string } | undefined;
}

/** What becomes of a header of a caller; `body` passes even where `Connection` names it. */
type Fate = 'drop' | 'pass' | 'body' | 'traceparent' | 'forwarding';

const fates = new NameTable(decideFate);

/**
 * Makes the one sanitiser of request headers, for the first send and for a replay. Values are copied as they are, in
 * their order, and repeated headers stay repeated.
 *
 * @returns a function that gives names and values in turn
 */
export function createRequestHeaderSelection({ publicUrl, trustedProxies }: RequestHeaderRules): SelectRequestHeaders {
  const host = publicUrl.host;
  const protocol = publicUrl.protocol.slice(0, -1);
  return (req, { requestId, token }) => {
    const { rawHeaders } = req;
    const named = namedByConnection(req.headers.connection);
    const headers: string[] = [];
    let forwarding: Map<string, string> | undefined;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? '';
      const value = rawHeaders[index + 1] ?? '';
      const fate = fates.find(name);
      if (fate === 'forwarding') {
        forwarding ??= new Map();
        rememberForwarding(forwarding, name.toLowerCase(), value);
      } else if (mayPass(fate, value) && (fate === 'body' || named?.has(name.toLowerCase()) !== true)) {
        headers.push(name, value);
      }
    }
    pushForwarding(headers, peerAddress(req), forwarding);
    headers.push('x-request-id', requestId);
    if (token !== undefined) {
      headers.push('authorization', token.authorization);
    }
    return headers;
  };

  /** A trusted proxy's word is kept and continued; everyone else's is replaced by what we see ourselves. */
  function pushForwarding(headers: string[], peer: string, said: ReadonlyMap<string, string> | undefined): void {
    if (said === undefined || !isTrusted(peer, trustedProxies)) {
      headers.push('x-forwarded-host', host, 'x-forwarded-proto', protocol, 'x-forwarded-for', peer);
      return;
    }
    const chain = said.get('x-forwarded-for');
    const all = new Map([
      ['x-forwarded-host', host],
      ['x-forwarded-proto', protocol],
      ...said,
      ['x-forwarded-for', chain === undefined ? peer : `${chain}, ${peer}`],
    ]);
    for (const [name, value] of all) {
      headers.push(name, value);
    }
  }
}

/** Selects the headers of one request. */
export type SelectRequestHeaders = (req: IncomingMessage, own: OwnHeaders) => string[];

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

function decideFate(name: string): Fate {
  if (FORWARDING.has(name) || name.startsWith(FORWARDING_PREFIX)) {
    return 'forwarding';
  }
  const isOurs = NEVER_FROM_CALLERS.has(name) || NEVER_PREFIXES.some((prefix) => name.startsWith(prefix));
  if (isOurs || name.includes('_')) {
    return 'drop';
  }
  if (name === 'traceparent') {
    return 'traceparent';
  }
  return DESCRIBES_BODY.has(name) ? 'body' : 'pass';
}

function mayPass(fate: Fate, value: string): boolean {
  return fate === 'traceparent' ? TRACEPARENT.test(value) : fate !== 'drop';
}

function rememberForwarding(forwarding: Map<string, string>, name: string, value: string): void {
  const earlier = forwarding.get(name);
  forwarding.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Networks } from '../network/networks.ts';
import { isTrusted, peerAddress } from '../request/client-address.ts';
import { TRACEPARENT } from '../syntax/http-syntax.ts';
import { NameTable } from '../syntax/name-table.ts';

/**
 * Headers that belong to one connection (RFC 9110 §7.6.1): they pass neither to a downstream nor back.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
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

/** What a caller may never tell a downstream: who it is, another method or path, and what belongs to a connection. */
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

/** Headers that pass even where `Connection` names them, because the body was checked by what they say of it. */
const DESCRIBES_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-length', 'content-type']);

/**
 * Headers in which a server in front of an API says who is calling. A downstream that stands behind such a server
 * elsewhere would believe them, and any caller could write them: RFC 9440 §4 (client certificates), Azure App Service,
 * AWS load balancers, Google IAP, Cloudflare Access, oauth2-proxy, the authenticating proxies of Kubernetes, and plain
 * single sign-on. Other `x-ms-*` pass, because the APIs of Azure need them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9440#section-4
 */
const ASSERTIONS: ReadonlySet<string> = new Set([
  'client-cert',
  'client-cert-chain',
  'remote-user',
  'x-arr-clientcert',
  'x-goog-iap-jwt-assertion',
  'x-ms-original-url',
  'x-ms-proxy',
  'x-remote-group',
  'x-remote-user',
  'x-webauth-user',
]);
const ASSERTION_PREFIXES = [
  'cf-access-',
  'x-amzn-oidc-',
  'x-auth-request-',
  'x-goog-authenticated-user-',
  'x-ms-client-principal',
  'x-ms-forwarded-',
  'x-ms-token-',
  'x-remote-extra-',
] as const;

/**
 * The prefix of the headers between clients and their proxies (RFC 9110 §11.7).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.7
 */
const PROXY_PREFIX = 'proxy-';

/**
 * True for a header that gateway.yaml can neither set nor let pass: a credential, which only the exchange sets, or one
 * that decides where a request goes and where its body ends.
 *
 * @param name in any case
 */
export function isFixed(name: string): boolean {
  const lower = name.toLowerCase();
  return HOP_BY_HOP.has(lower) || lower.startsWith(PROXY_PREFIX) || FIXED.has(lower);
}

const FIXED: ReadonlySet<string> = new Set(['authorization', 'content-length', 'cookie', 'expect', 'host']);

/**
 * True for a header that goes on to a downstream as callers send it, unless gateway.yaml says otherwise.
 *
 * @param name in any case
 */
export function passesFromCallers(name: string): boolean {
  const handling = decideHandling(name.toLowerCase());
  return handling === 'pass' || handling === 'tracestate';
}

/**
 * The prefix of the headers that repeat arguments of tools of MCP, under the names that the tools give them. Proxies have
 * to let them pass, and a name with an underscore cannot be taken for anything but another argument.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
const MCP_PARAMETER_PREFIX = 'mcp-param-';

/** Headers about where a request came from, which only a trusted proxy may set. */
const FORWARDING: ReadonlySet<string> = new Set(['forwarded', 'x-real-ip']);
const FORWARDING_PREFIX = 'x-forwarded-';

/** What decides which headers of a request go on to a downstream, and which are made anew. */
export interface RequestHeaderRules {
  /** How clients reach the gateway: what downstreams read as X-Forwarded-Host and -Proto; `undefined` to say neither. */
  readonly publicUrl: URL | undefined;
  /** The proxies whose headers about where a request came from are believed; absent when there are none. */
  readonly trustedProxies: Networks | undefined;
  /** What gateway.yaml says for one downstream. */
  readonly headers?: HeaderSettings;
}

/** Names may be written in any case; none of them {@link isFixed}. */
export interface HeaderSettings {
  /** Fixed headers by name; a caller's of the same name are replaced. Values beyond ASCII go out as UTF-8. */
  readonly set: Readonly<Record<string, string>>;
  /** Names that pass from callers although they usually do not. */
  readonly pass: readonly string[];
}

/** What the gateway itself adds to each request. */
export interface OwnHeaders {
  readonly requestId: string;
  /** The downstream's token; absent for an anonymous operation. */
  readonly token: { readonly authorization: string } | undefined;
  /** The headers of the span of the call, which replace the caller's; absent where the caller's go on. */
  readonly traceContext?: readonly string[] | undefined;
}

/** What becomes of a header of a caller; `body` passes even where `Connection` names it. */
type RequestHeaderHandling = 'drop' | 'pass' | 'body' | 'traceparent' | 'tracestate' | 'forwarding';

/** The one table for all downstreams without header settings of their own. */
const usualHandlings = new NameTable(decideHandling);

/**
 * Makes the function that selects the request headers for a downstream, for the first send and for a second. Values are
 * copied as they are, in their order, and repeated headers stay repeated.
 *
 * @returns a function that gives names and values in turn
 */
export function createRequestHeaderSelection(rules: RequestHeaderRules): SelectRequestHeaders {
  const { publicUrl, trustedProxies, headers: settings = NO_SETTINGS } = rules;
  const fixed = toFixed(settings);
  const replaced = new Set(Object.keys(settings.set).map((name) => name.toLowerCase()));
  const believed = new Set(settings.pass.map((name) => name.toLowerCase()));
  const handlings =
    replaced.size + believed.size === 0 ? usualHandlings : new NameTable((name) => decideHandlingHere(name));
  const known = withoutReplaced(publicUrl === undefined ? [] : describePlace(publicUrl));
  const knownFlat = known.flat();
  const saysPeer = !replaced.has('x-forwarded-for');
  const saysRequestId = !replaced.has('x-request-id');
  const saysTrace = !replaced.has('traceparent');
  return (req, { requestId, token, traceContext }) => {
    const { rawHeaders } = req;
    const named = namedByConnection(req.headers.connection);
    const headers: string[] = [];
    let forwarding: Map<string, string> | undefined;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? '';
      const value = rawHeaders[index + 1] ?? '';
      const handling = handlings.find(name);
      if (handling === 'forwarding') {
        forwarding ??= new Map();
        rememberForwarding(forwarding, name.toLowerCase(), value);
      } else if (
        mayPass(handling, value, traceContext !== undefined) &&
        (handling === 'body' || named?.has(name.toLowerCase()) !== true)
      ) {
        headers.push(name, value);
      }
    }
    pushForwarding(headers, peerAddress(req), forwarding);
    if (saysRequestId) {
      headers.push('x-request-id', requestId);
    }
    if (token !== undefined) {
      headers.push('authorization', token.authorization);
    }
    if (traceContext !== undefined && saysTrace) {
      headers.push(...traceContext);
    }
    if (fixed.length > 0) {
      headers.push(...fixed);
    }
    return headers;
  };

  function decideHandlingHere(name: string): RequestHeaderHandling {
    if (replaced.has(name)) {
      return 'drop';
    }
    const handling = decideHandling(name);
    return handling === 'drop' && believed.has(name) && name !== 'x-request-id' ? 'pass' : handling;
  }

  /** Keeps and continues what a trusted proxy says, or anyone where gateway.yaml lets it pass; else replaces it. */
  function pushForwarding(headers: string[], peer: string, said: ReadonlyMap<string, string> | undefined): void {
    const kept = said === undefined ? NOTHING_SAID : keepBelieved(said, peer);
    if (kept.size === 0) {
      headers.push(...knownFlat);
      if (saysPeer) {
        headers.push('x-forwarded-for', peer);
      }
      return;
    }
    const chain = kept.get('x-forwarded-for');
    const last = chain === undefined ? peer : `${chain}, ${peer}`;
    const peers = saysPeer ? [['x-forwarded-for', last] as const] : [];
    for (const [name, value] of new Map([...known, ...kept, ...peers])) {
      headers.push(name, value);
    }
  }

  function keepBelieved(said: ReadonlyMap<string, string>, peer: string): ReadonlyMap<string, string> {
    return isTrusted(peer, trustedProxies) ? said : new Map([...said].filter(([name]) => believed.has(name)));
  }

  function withoutReplaced(list: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
    return list.filter(([name]) => !replaced.has(name));
  }
}

/**
 * Makes the function that selects the headers of a call that an application makes itself. Its own headers are looked at
 * as a caller's are: none of them is a credential, belongs to a connection, or says where a request came from. Of its
 * caller's headers nothing goes on but the trace.
 *
 * @returns a function that gives names and values in turn
 */
export function createOwnHeaderSelection(settings: HeaderSettings = NO_SETTINGS): SelectOwnHeaders {
  const fixed = toFixed(settings);
  const replaced = new Set(Object.keys(settings.set).map((name) => name.toLowerCase()));
  const believed = new Set(settings.pass.map((name) => name.toLowerCase()));
  const handlings = new NameTable((name): RequestHeaderHandling => {
    if (replaced.has(name)) {
      return 'drop';
    }
    const handling = decideHandling(name);
    if (handling === 'forwarding' || handling === 'drop') {
      return believed.has(name) && name !== 'x-request-id' ? 'pass' : 'drop';
    }
    return handling;
  });
  return (written, { headers: callers }, { requestId, token, traceContext }) => {
    const headers: string[] = [];
    const all = [...written, ...traceOf(callers, written)];
    for (let index = 0; index < all.length; index += 2) {
      const name = all[index] ?? '';
      const value = all[index + 1] ?? '';
      if (mayPass(handlings.find(name), value, traceContext !== undefined)) {
        headers.push(name, value);
      }
    }
    if (!replaced.has('x-request-id')) {
      headers.push('x-request-id', requestId);
    }
    if (token !== undefined) {
      headers.push('authorization', token.authorization);
    }
    if (traceContext !== undefined && !replaced.has('traceparent')) {
      headers.push(...traceContext);
    }
    headers.push(...fixed);
    return headers;
  };
}

/** Selects the headers of one call that an application makes itself for the caller of a request. */
export type SelectOwnHeaders = (
  written: readonly string[],
  caller: Pick<IncomingMessage, 'headers'>,
  own: OwnHeaders,
) => string[];

/** The trace of a caller, unless the call has one of its own. */
function traceOf(callers: IncomingHttpHeaders, written: readonly string[]): string[] {
  const hasOwn = written.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'traceparent');
  return hasOwn
    ? []
    : ['traceparent', 'tracestate'].flatMap((name) => {
        const value = callers[name];
        return typeof value === 'string' ? [name, value] : [];
      });
}

function toFixed({ set }: HeaderSettings): readonly string[] {
  return Object.entries(set).flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')]);
}

const NO_SETTINGS: HeaderSettings = { set: {}, pass: [] };
const NOTHING_SAID: ReadonlyMap<string, string> = new Map();

function describePlace({ host, protocol, pathname }: URL): readonly (readonly [string, string])[] {
  return [
    ['x-forwarded-host', host],
    ['x-forwarded-proto', protocol.slice(0, -1)],
    ...(pathname === '/' ? [] : [['x-forwarded-prefix', pathname.replace(/\/$/, '')] as const]),
  ];
}

/** Selects the headers of one request. */
export type SelectRequestHeaders = (req: IncomingMessage, own: OwnHeaders) => string[];

/** Lists the headers that `Connection` names, which are then hop-by-hop too; `undefined` for the usual values. */
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

function decideHandling(name: string): RequestHeaderHandling {
  if (FORWARDING.has(name) || name.startsWith(FORWARDING_PREFIX)) {
    return 'forwarding';
  }
  const hasUnderscore = name.includes('_') && !name.startsWith(MCP_PARAMETER_PREFIX);
  const isOurs = NEVER_FROM_CALLERS.has(name) || name.startsWith(PROXY_PREFIX) || hasUnderscore;
  if (isOurs || ASSERTIONS.has(name) || ASSERTION_PREFIXES.some((prefix) => name.startsWith(prefix))) {
    return 'drop';
  }
  if (name === 'traceparent' || name === 'tracestate') {
    return name;
  }
  return DESCRIBES_BODY.has(name) ? 'body' : 'pass';
}

function mayPass(handling: RequestHeaderHandling, value: string, isTraced: boolean): boolean {
  if (handling === 'traceparent') {
    // A malformed value must not start a trace downstream.
    return !isTraced && TRACEPARENT.test(value);
  }
  return handling === 'tracestate' ? !isTraced : handling !== 'drop';
}

function rememberForwarding(forwarding: Map<string, string>, name: string, value: string): void {
  const earlier = forwarding.get(name);
  forwarding.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
}

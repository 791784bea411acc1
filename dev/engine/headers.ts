/** Headers that belong to one connection (RFC 9110 §7.6.1). A body is framed anew on the next one. */
const OF_A_CONNECTION = [
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Headers by their names, and by what their names begin with; all in lower case. */
interface Names {
  readonly names: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

/**
 * What a client may tell neither an API nor the gateway: who it is, where it comes from, another method or path, and what
 * only the engine says (`X-Original-*` describes the call, `X-Downstream-*` what the API said to it).
 */
const NEVER_FROM_CLIENTS: Names = {
  names: new Set([
    ...OF_A_CONNECTION,
    'client-cert',
    'client-cert-chain',
    'cookie',
    'forwarded',
    'host',
    'remote-user',
    'x-arr-clientcert',
    'x-goog-iap-jwt-assertion',
    'x-method-override',
    'x-ms-original-url',
    'x-ms-proxy',
    'x-real-ip',
    'x-request-id',
    'x-rewrite-url',
    'x-webauth-user',
  ]),
  prefixes: [
    'cf-access-',
    'proxy-',
    'x-amzn-oidc-',
    'x-auth-request-',
    'x-downstream-',
    'x-envoy-',
    'x-forwarded-',
    'x-goog-authenticated-user-',
    'x-http-method',
    'x-ms-client-principal',
    'x-ms-forwarded-',
    'x-ms-token-',
    'x-original-',
    'x-remote-',
  ],
};

/**
 * What an API may not tell a client: a challenge that is not the gateway's, what counts for the whole address, orders to
 * the engine, and what the engine says itself.
 */
const NEVER_FROM_APIS: Names = {
  names: new Set([
    ...OF_A_CONNECTION,
    'alt-svc',
    'clear-site-data',
    'proxy-authenticate',
    'set-cookie',
    'strict-transport-security',
    'www-authenticate',
    'x-request-id',
  ]),
  prefixes: ['access-control-', 'x-accel-', 'x-sendfile'],
};

/** The headers of the gateway's refusal that stay behind; everything else of it passes as it is. */
const NEVER_FROM_REFUSALS: Names = { names: new Set(OF_A_CONNECTION), prefixes: [] };

/** A header that is set, or left out where its value is `undefined`. */
type Setting = readonly [name: string, value: string | undefined];

/**
 * Selects the client's headers that go to the gateway with a question: its token among them, and nothing of its body.
 *
 * @param rawHeaders names and values in turn
 * @returns names and values in turn
 */
export function selectForGateway(rawHeaders: readonly string[], settings: readonly Setting[]): string[] {
  return [...withoutNames(rawHeaders, NEVER_FROM_CLIENTS, ['content-length']), ...written(settings)];
}

/**
 * Selects the client's headers that go to an API: all but its token, in whose place comes the API's own or none, and but
 * its length, because `Connection` could name that one, and then the body would be taken for the next request.
 *
 * @param rawHeaders names and values in turn
 * @returns names and values in turn
 */
export function selectForApi(rawHeaders: readonly string[], settings: readonly Setting[]): string[] {
  const more = ['authorization', 'content-length'];
  return [...withoutNames(rawHeaders, NEVER_FROM_CLIENTS, more), ...written(settings)];
}

/**
 * Selects the headers of an API's answer that go to the client.
 *
 * @param rawHeaders names and values in turn
 * @returns names and values in turn
 */
export function selectFromApi(rawHeaders: readonly string[], settings: readonly Setting[]): string[] {
  return [...withoutNames(rawHeaders, NEVER_FROM_APIS), ...written(settings)];
}

/**
 * Selects the headers of a refusal of the gateway that go to the client.
 *
 * @param rawHeaders names and values in turn
 * @returns names and values in turn
 */
export function selectFromRefusal(rawHeaders: readonly string[]): string[] {
  return withoutNames(rawHeaders, NEVER_FROM_REFUSALS);
}

function withoutNames(rawHeaders: readonly string[], never: Names, more: readonly string[] = []): string[] {
  const connection = valuesOf(rawHeaders, 'connection').join(',').toLowerCase();
  const named = new Set(connection.split(',').map((name) => name.trim()));
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]];
    const lower = name.toLowerCase();
    // Some servers read a name with an underscore as the one with a hyphen.
    const isDropped = lower.includes('_') || never.names.has(lower) || more.includes(lower) || named.has(lower);
    if (!isDropped && !never.prefixes.some((prefix) => lower.startsWith(prefix))) {
      kept.push(name, value);
    }
  }
  return kept;
}

/** The values of one header; its name in lower case. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

function written(settings: readonly Setting[]): string[] {
  return settings.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

import type { IncomingMessage } from 'node:http';
import { TOKEN_ENDPOINT_PATHS } from '../token-endpoints/token-endpoints.ts';
import { readDescription, readRequestLine, type DescribedCall, type DescribingHeaders } from './described-call.ts';

/** A path at which engines ask, in the dialect of one kind of engine. */
export interface Endpoint {
  /** What the engine does with the answer: it lets the call pass, or it passes the refusal on to the client. */
  readonly asks: 'may it pass' | 'why not';
  /** True for engines that pass on nothing of a refusal, so that they ask why not once more. */
  readonly hidesRefusals: boolean;
  /** The headers that describe the call, in lower case; none of them is the client's. */
  readonly headers: ReadonlySet<string>;
  /**
   * Reads the client's call, from the headers of this dialect only: any others are the client's own.
   *
   * @throws {GatewayError} `call_not_described`
   */
  readonly describe: (req: IncomingMessage) => DescribedCall;
}

const ENVOY_PREFIX = '/check/envoy';

const NGINX = describedBy({ method: 'X-Original-Method', target: 'X-Original-URI' });
const FORWARDED = describedBy({ method: 'X-Forwarded-Method', target: 'X-Forwarded-Uri' });

/**
 * The endpoints by path. One dialect has one path, because a client of an engine can set the headers of every other
 * dialect, and must not be judged by them.
 */
const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  ['/check/nginx', { asks: 'may it pass', hidesRefusals: true, ...NGINX }],
  ['/refusal/nginx', { asks: 'why not', hidesRefusals: false, ...NGINX }],
  ['/check/forward-auth', { asks: 'may it pass', hidesRefusals: false, ...FORWARDED }],
]);

/** The paths of the listener: those at which engines ask, where `*` is the call's own path, and those of applications. */
export const ENDPOINT_PATHS: readonly string[] = [...ENDPOINTS.keys(), `${ENVOY_PREFIX}/*`, ...TOKEN_ENDPOINT_PATHS];

const ENVOY: Endpoint = {
  asks: 'may it pass',
  hidesRefusals: false,
  headers: new Set(),
  describe: (req) => readRequestLine(req, ENVOY_PREFIX),
};

function describedBy(names: DescribingHeaders): Pick<Endpoint, 'headers' | 'describe'> {
  return {
    headers: new Set([names.method.toLowerCase(), names.target.toLowerCase()]),
    describe: (req) => readDescription(req, names),
  };
}

/**
 * Finds the endpoint of a path.
 *
 * @param path without the query: some engines add that of the client
 */
export function findEndpoint(path: string): Endpoint | undefined {
  return path.startsWith(`${ENVOY_PREFIX}/`) ? ENVOY : ENDPOINTS.get(path);
}

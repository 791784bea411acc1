import type { GatewayWorld } from '../support/gateway-world.ts';
import { gatewayContract, scope } from '../support/gateway-contract.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

/** A call as a client of an engine makes it. */
export interface ClientCall {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** Header lines, besides `Host`. */
  readonly headers?: readonly string[];
}

/** How an engine asks about a call of its client: the request line, and the lines that it adds. */
type Dialect = (call: ClientCall) => readonly [requestLine: string, ...description: readonly string[]];

function describedBy(path: string, method: string, target: string): Dialect {
  return (call) => [`GET ${path} HTTP/1.1`, `${method}: ${call.method}`, `${target}: ${call.target}`];
}

/** The endpoints that give a refusal as it is, by what asks there. */
export const DIALECTS = {
  'nginx, for the refusal': describedBy('/refusal/nginx', 'X-Original-Method', 'X-Original-URI'),
  'forward-auth': describedBy('/check/forward-auth', 'X-Forwarded-Method', 'X-Forwarded-Uri'),
  // What stands before the path of a call is the engine's own, so it has no absolute form.
  envoy: ({ method, target }: ClientCall) => [
    `${method} /check/envoy${target.replace(/^http:\/\/[^/]*/, '')} HTTP/1.1`,
  ],
} as const satisfies Record<string, Dialect>;

const ENDPOINTS = { ...DIALECTS, nginx: describedBy('/check/nginx', 'X-Original-Method', 'X-Original-URI') };

export type DialectName = keyof typeof ENDPOINTS;

/** The dialects in which an engine asks whether a call may pass. */
export const CHECKS = ['nginx', 'forward-auth', 'envoy'] as const satisfies readonly DialectName[];

/** Asks about a call as an engine does. */
export function ask(world: GatewayWorld, dialect: DialectName, call: ClientCall): Promise<RawResponse> {
  const [line, ...description] = ENDPOINTS[dialect](call);
  const port = Number(new URL(world.authorizationServiceUrl).port);
  return rawRequest(port, [line, 'Host: engine', ...description, ...(call.headers ?? [])]);
}

/** Makes the call at the proxy. */
export function callProxy(world: GatewayWorld, { method, target, headers = [] }: ClientCall): Promise<RawResponse> {
  return rawRequest(world.port, [`${method} ${target} HTTP/1.1`, 'Host: api', ...headers]);
}

/** The header line of a token. */
export function bearer(token: string): string {
  return `Authorization: Bearer ${token}`;
}

/** What of an answer is the same whoever asks: all of it but its moment. */
export function bytesOf({ status, headers, body }: RawResponse): object {
  return { status, headers: headers.filter(([name]) => name !== 'date'), body };
}

const parameters = [
  { name: 'top', in: 'query', required: true, schema: { type: 'integer', maximum: 10 } },
  { name: 'x-tier', in: 'header', schema: { enum: ['gold'] } },
];

function operation(security: readonly object[], service: string, more: object = {}): object {
  return { security, 'x-downstream': { service }, responses: { default: { description: 'Any.' } }, ...more };
}

const person = { user: [scope('Profile.Read')] };

/** The usual contract and what only checks meet: optional tokens, parameters, and an API without an address. */
export const contract = {
  ...gatewayContract,
  paths: {
    ...gatewayContract.paths,
    '/optional': { get: operation([{}, person], 'api') },
    '/parameters': { get: operation([person], 'api', { parameters }) },
    '/engine-only': { get: operation([person], 'unplaced'), post: operation([], 'unplaced') },
  },
};

/** A downstream that only engines call. */
export const unplaced = { unplaced: { scopes: ['api://orders/.default'] } };

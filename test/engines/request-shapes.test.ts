import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';
import { portOf, send } from './engine-world.ts';

const world = await startGatewayWorld({ authorizationService: { port: 0 } });
const service = portOf(world.authorizationServiceUrl);
afterAll(() => world.close());
afterEach(() => world.emulator.resetSwitches());

/**
 * What engines that do not run here send for a call with a body, as their sources have it.
 *
 * @see https://github.com/envoyproxy/envoy/blob/v1.36.0/source/extensions/filters/common/ext_authz/ext_authz_http_impl.cc
 * @see https://github.com/traefik/traefik/blob/v3.6.0/pkg/middlewares/auth/forward.go
 * @see https://gateway-api.sigs.k8s.io/geps/gep-1494/
 */
const SHAPES: Readonly<Record<string, (call: string, authorization: readonly string[]) => string[]>> = {
  'Envoy and Istio': (call, authorization) => [
    `${call.replace(' ', ' /check/envoy')} HTTP/1.1`,
    'host: api.contoso.com',
    'content-length: 0',
    ...authorization,
    'x-request-id: same',
    'x-envoy-internal: true',
    'x-forwarded-for: 10.0.0.7',
    'x-envoy-expected-rq-timeout-ms: 10000',
  ],
  'Gateway API': (call, authorization) => [
    `${call.replace(' ', ' /check/envoy')} HTTP/1.1`,
    'Host: api.contoso.com',
    'Content-Length: 0',
    ...authorization,
    'X-Request-Id: same',
  ],
  Traefik: (call, authorization) => {
    const [method, target] = call.split(' ');
    return [
      'GET /check/forward-auth HTTP/1.1',
      'Host: 127.0.0.1:8081',
      'User-Agent: Go-http-client/1.1',
      'Accept-Encoding: gzip',
      ...authorization,
      'X-Request-Id: same',
      `X-Forwarded-Method: ${method}`,
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Host: api.contoso.com',
      `X-Forwarded-Uri: ${target}`,
      'X-Forwarded-For: 10.0.0.7',
      'X-Forwarded-Server: traefik-1',
      'Content-Type: application/json',
    ];
  },
};
const NAMES = Object.keys(SHAPES);

function ask(shape: string, call: string, token?: string): Promise<RawResponse> {
  return rawRequest(
    service,
    SHAPES[shape]?.(call, token === undefined ? [] : [`authorization: Bearer ${token}`]) ?? [],
  );
}

/** What of a refusal reaches the client through these engines. */
function essential({ status, body, header }: RawResponse): unknown[] {
  return [status, body, header('www-authenticate')];
}

describe.each(NAMES)('%s', (shape) => {
  it.each(['GET /me?$select=id', 'PUT /upload', 'HEAD /orders'])('%s: gets the token of the API', async (call) => {
    const answer = await ask(shape, call, world.token('adele'));
    expect([answer.status, answer.header('authorization')]).toEqual([200, expect.stringMatching(/^Bearer ey/)]);
  });

  it.each(['GET /me', 'POST /orders', 'GET /nowhere', 'PATCH /orders', 'GET //me', 'GET /things/..%2fadmin'])(
    '%s: gets the refusal of the proxy',
    async (line) => {
      const ofProxy = await send(world.port, { line, headers: ['x-request-id: same'] });
      const answer = await ask(shape, line);
      expect(essential(answer)).toEqual(essential(ofProxy));
      expect(answer.status).toBeGreaterThanOrEqual(400);
    },
  );

  it('a call that needs no token leaves the caller’s to nobody', async () => {
    const answer = await ask(shape, 'GET /open', world.token('adele'));
    expect([answer.status, answer.header('authorization'), answer.header('x-envoy-auth-headers-to-remove')]).toEqual([
      200,
      undefined,
      'authorization',
    ]);
  });
});

/** What a published file says where it asks the service. */
const SAYS: readonly (readonly [file: string, holds: string])[] = [
  ['envoy/envoy.yaml', '"path_prefix":"/check/envoy"'],
  ['envoy/envoy.yaml', '"failure_mode_allow":false'],
  ['envoy/envoy.yaml', '"status_on_error":{"code":"ServiceUnavailable"}'],
  ['traefik/routes.yaml', '"address":"http://127.0.0.1:8081/check/forward-auth"'],
  ['traefik/routes.yaml', '"authResponseHeaders":["Authorization"]'],
  ['traefik/traefik.yaml', '"insecure":false'],
  ['istio/mesh-config.yaml', '"pathPrefix":"/check/envoy"'],
  ['istio/mesh-config.yaml', '"failOpen":false'],
  ['istio/policy.yaml', '"action":"CUSTOM"'],
  ['gateway-api/http-route.yaml', '"path":"/check/envoy"'],
  ['envoy/envoy.yaml', '{"match":{"prefix":"/.well-known/oauth-protected-resource"},"route":{"cluster":"gateway"}'],
  ['envoy/envoy.yaml', '{"match":{"prefix":"/.well-known/oauth-authorization-server"},"route":{"cluster":"gateway"}'],
  ['traefik/routes.yaml', 'PathPrefix(`/.well-known/oauth-protected-resource`)'],
  ['traefik/routes.yaml', 'PathPrefix(`/.well-known/oauth-authorization-server`)'],
  ['istio/policy.yaml', '"/.well-known/oauth-protected-resource*"'],
  ['istio/policy.yaml', '"/.well-known/oauth-authorization-server*"'],
  ['gateway-api/http-route.yaml', '{"type":"PathPrefix","value":"/.well-known/oauth-protected-resource"}'],
  ['gateway-api/http-route.yaml', '{"type":"PathPrefix","value":"/.well-known/oauth-authorization-server"}'],
];

it.each(SAYS)('the published %s is YAML, and says %s', (file, holds) => {
  const text = readFileSync(new URL(`../../deploy/engines/${file}`, import.meta.url), 'utf8');
  expect(JSON.stringify(loadAll(text))).toContain(holds);
});

function readPublished(file: string): unknown[] {
  return loadAll(readFileSync(new URL(`../../deploy/engines/${file}`, import.meta.url), 'utf8'));
}

/** Finds every object in a document that has a member of this name. */
function holdersOf(name: string, value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const found = Object.values(value).flatMap((member) => holdersOf(name, member));
  return name in value ? [value as Record<string, unknown>, ...found] : found;
}

describe('what is not asked about goes to the gateway, which judges it itself', () => {
  it('in Envoy', () => {
    const unchecked = holdersOf('typed_per_filter_config', readPublished('envoy/envoy.yaml'));
    expect(new Set(unchecked.map(({ route }) => JSON.stringify(route)))).toEqual(new Set(['{"cluster":"gateway"}']));
  });

  it('in Istio', () => {
    const [policy, routes] = readPublished('istio/policy.yaml');
    const [operation] = holdersOf('notMethods', policy);
    const [rule] = holdersOf('match', routes);
    const paths = operation?.['notPaths'] as string[];
    expect(operation).toEqual({ notMethods: ['OPTIONS'], notPaths: paths });
    expect(rule?.['match']).toEqual([
      { method: { exact: 'OPTIONS' } },
      ...paths.map((path) => ({ uri: path.endsWith('*') ? { prefix: path.slice(0, -1) } : { exact: path } })),
    ]);
    expect(JSON.stringify(rule?.['route'])).toContain('"host":"obo-gateway.');
  });

  it('in Traefik', () => {
    const [routers] = holdersOf('gateway', readPublished('traefik/routes.yaml'));
    const unchecked = Object.values(routers ?? {}).filter(
      (router) => (router as { middlewares?: string[] }).middlewares?.includes('obo') !== true,
    );
    expect(unchecked).toEqual([expect.objectContaining({ service: 'gateway' })]);
  });

  it('with Gateway API', () => {
    const [{ rules = [] } = {}] = holdersOf('rules', readPublished('gateway-api/http-route.yaml'));
    const unchecked = (rules as { readonly filters?: readonly { readonly type: string }[] }[]).filter(
      ({ filters = [] }) => filters.every(({ type }) => type !== 'ExternalAuth'),
    );
    expect(unchecked).toEqual([expect.objectContaining({ backendRefs: [{ name: 'obo-gateway', port: 80 }] })]);
  });
});

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { answerChallenge, answerInTurn, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { describeWithRedis, startRedis } from '../support/redis-server.ts';
import { startOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';

const receiver = await startOtlpReceiver();
const world = await startGatewayWorld({
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRICS_EXPORTER: 'none', OTEL_BSP_SCHEDULE_DELAY: '50' },
});
const { emulator, downstream } = world;
afterAll(async () => {
  await world.close();
  await receiver.close();
});
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
});

const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

/** A context as a caller that is traced sends it. */
function newContext(isSampled = true): { traceId: string; parentId: string; traceparent: string } {
  const traceId = randomBytes(16).toString('hex');
  const parentId = randomBytes(8).toString('hex');
  return { traceId, parentId, traceparent: `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}` };
}

let issued = Math.floor(Date.now() / 1_000) - 1_000;

/** A token of which the gateway knows nothing yet. */
function newToken(): string {
  issued += 1;
  return world.token('adele', { claims: { iat: issued } });
}

/** A downstream's 401 that asks for claims. */
const CLAIMS = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');
const CLAIMS_CHALLENGE = `Bearer error="insufficient_claims", claims="${CLAIMS}"`;

/** The headers of this name that the downstream received, of all requests. */
function receivedHeaders(name: string): string[] {
  return downstream.requests.flatMap(({ rawHeaders }) => valuesOf(rawHeaders, name));
}

interface PlainInit {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls as a client that may send any header. */
async function sendRaw(path: string, traceparent: string, { token, headers }: PlainInit): Promise<void> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const call = request(`${world.url}${path}`, { headers: { traceparent, ...authorization, ...headers } }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
}

/** The spans as a tree: names with the names below them. */
function treeOf(spans: readonly ReceivedSpan[], root: ReceivedSpan | undefined): object {
  const below = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
  return { [root?.name ?? 'no root']: below.map((span) => treeOf(spans, span)) };
}

function spanOf(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) {
    throw new Error(`no span ${name} among ${spans.map((span) => span.name).join(', ')}`);
  }
  return found;
}

function traceparentOf(span: ReceivedSpan): string {
  return `00-${span.traceId}-${span.spanId}-01`;
}

describe('a traced call of a user', () => {
  it('is a tree of spans below the span of the caller, and the downstream continues it', async () => {
    const { traceId, parentId, traceparent } = newContext();
    const token = newToken();
    const response = await world.call('/me?secret=query', {
      token,
      headers: { traceparent, tracestate: 'vendor=1', 'user-agent': 'tests/1' },
    });
    const spans = await receiver.spansOf(traceId, 4);
    const root = spanOf(spans, 'GET /me');
    expect([response.status, root.parentSpanId, root.kind]).toEqual([200, parentId, SERVER]);
    expect(treeOf(spans, root)).toEqual({
      'GET /me': [{ authenticate: [] }, { exchange: [] }, { forward: [] }],
    });
    expect(receivedHeaders('traceparent')).toEqual([traceparentOf(spanOf(spans, 'forward'))]);
    expect(receivedHeaders('tracestate')).toEqual(['vendor=1']);
  });

  it('says of the request what the conventions for HTTP want, and of the steps what they did', async () => {
    const { traceId, traceparent } = newContext();
    const response = await world.call('/orders/42', {
      token: newToken(),
      headers: { traceparent, 'user-agent': 'tests/1' },
    });
    const requestId = response.headers.get('x-request-id');
    const spans = await receiver.spansOf(traceId, 4);
    const { hostname, port } = new URL(world.url);
    expect(spanOf(spans, 'GET /orders/{orderId}').attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/orders/{orderId}',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/orders/42',
      'server.address': hostname,
      'server.port': Number(port),
      'client.address': '127.0.0.1',
      'user_agent.original': 'tests/1',
      'gateway.operation': 'GET /orders/{orderId}',
      'gateway.downstream': 'orders',
      'gateway.request_id': requestId,
    });
    const line = await world.log.of(requestId);
    expect(spanOf(spans, 'exchange')).toMatchObject({
      kind: CLIENT,
      attributes: {
        'gateway.downstream': 'orders',
        'gateway.token.source': 'entra',
        'gateway.exchange.outcome': 'token',
        'entra.client_request_id': line['correlationId'],
      },
    });
    expect(spanOf(spans, 'forward')).toMatchObject({
      kind: CLIENT,
      attributes: {
        'gateway.downstream': 'orders',
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'server.port': downstream.port,
        'url.template': '/things/{orderId}/view',
        'url.full': `http://127.0.0.1:${downstream.port}/base/things/42/view`,
      },
    });
    expect([line['traceId'], line['spanId']]).toEqual([traceId, spanOf(spans, 'GET /orders/{orderId}').spanId]);
  });

  it('has each span within that above it', async () => {
    const { traceId, traceparent } = newContext();
    await world.call('/me', { token: newToken(), headers: { traceparent } });
    const spans = await receiver.spansOf(traceId, 4);
    const root = spanOf(spans, 'GET /me');
    const outside = spans.filter(({ start, end }) => start < root.start || end > root.end || end < start);
    expect(outside.map(({ name }) => name)).toEqual([]);
  });

  it('does not ask Entra when the token is in the session, and its exchange says so', async () => {
    const token = newToken();
    await world.call('/me', { token });
    const { traceId, traceparent } = newContext();
    await world.call('/me', { token, headers: { traceparent } });
    const { kind, attributes } = spanOf(await receiver.spansOf(traceId, 4), 'exchange');
    expect([kind, attributes['gateway.token.source'], attributes['entra.client_request_id']]).toEqual([
      1,
      'session',
      undefined,
    ]);
  });

  it('is one trace with a second exchange and a second send, each with a span of its own', async () => {
    downstream.answer = answerInTurn(answerChallenge(CLAIMS_CHALLENGE), answerPlainly);
    const { traceId, traceparent } = newContext();
    const response = await world.call('/me', { token: newToken(), headers: { traceparent } });
    const spans = await receiver.spansOf(traceId, 6);
    const forwards = spans.filter(({ name }) => name === 'forward');
    expect([response.status, treeOf(spans, spanOf(spans, 'GET /me'))]).toEqual([
      200,
      { 'GET /me': [{ authenticate: [] }, { exchange: [] }, { forward: [] }, { exchange: [] }, { forward: [] }] },
    ]);
    expect(receivedHeaders('traceparent')).toEqual(forwards.map(traceparentOf));
    expect(forwards.map(({ statusCode, attributes }) => [statusCode, attributes['http.request.resend_count']])).toEqual(
      [
        [ERROR, undefined],
        [0, 1],
      ],
    );
    expect(
      spans.filter(({ name }) => name === 'exchange').map((span) => span.attributes['gateway.exchange.claims']),
    ).toEqual([undefined, true]);
  });
});

describe('a request that is refused', () => {
  it.each([
    ['without a token', '/me', {}, 401, 'missing_token', 'GET /me', 0],
    ['with a bad token', '/me', { token: 'a.b.c' }, 401, 'invalid_token', 'GET /me', 0],
    ['for a path that is none', '/no/such/path', {}, 404, 'not_found', 'GET', 0],
    ['before any door', '/me', { headers: { expect: 'wonders' } }, 400, 'invalid_request', 'GET', 0],
    ['because the downstream is gone', '/gone', {}, 502, 'downstream_unreachable', 'GET /gone', ERROR],
  ])(
    '%s has its code on the span, whose status is an error only for 5xx',
    async (_, path, init, status, code, name, statusCode) => {
      const { traceId, traceparent } = newContext();
      await sendRaw(path, traceparent, init);
      await until('its span arrives', () =>
        receiver.spans.some((one) => one.traceId === traceId && one.kind === SERVER),
      );
      const span = receiver.spans.find((one) => one.traceId === traceId && one.kind === SERVER);
      expect([span?.name, span?.statusCode]).toEqual([name, statusCode]);
      expect([span?.attributes['http.response.status_code'], span?.attributes['error.type']]).toEqual([status, code]);
    },
  );

  it('by Entra has the class and the id on the exchange', async () => {
    emulator.switches.refuse = {
      error: 'interaction_required',
      error_codes: [50076],
      claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
    };
    const { traceId, traceparent } = newContext();
    const response = await world.call('/me', { token: newToken(), headers: { traceparent } });
    const spans = await receiver.spansOf(traceId, 3);
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect(spanOf(spans, 'exchange')).toMatchObject({
      statusCode: 0,
      attributes: {
        'error.type': 'insufficient_claims',
        'gateway.exchange.outcome': 'interaction',
        'entra.client_request_id': line['correlationId'],
      },
    });
  });
});

describe('what is sent', () => {
  it('holds no token, no query and no id of the caller', async () => {
    const { traceId, traceparent } = newContext();
    const token = newToken();
    const response = await world.call('/me?secret=query', { token, headers: { traceparent } });
    const sent = JSON.stringify(await receiver.spansOf(traceId, 4), (_, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
    const { tid, oid, azp } = await world.log.of(response.headers.get('x-request-id'));
    const [authorization = ''] = receivedHeaders('authorization');
    const secrets = [token, authorization.slice('Bearer '.length), 'secret=query', tid, oid, azp].map(String);
    expect(secrets.filter((secret) => secret === '' || secret === 'undefined' || sent.includes(secret))).toEqual([]);
  });

  it('names the gateway, its version and this process', () => {
    expect(receiver.spans[0]?.resource).toEqual({
      'service.name': 'obo-gateway',
      'service.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
      'service.instance.id': expect.stringMatching(/^[\da-f-]{36}$/),
    });
  });
});

describe('the context', () => {
  it('of a caller that is not sampled goes on, and nothing is sent', async () => {
    const { traceId, parentId, traceparent } = newContext(false);
    const token = newToken();
    const response = await world.call('/me', { token, headers: { traceparent } });
    const [forwarded = ''] = receivedHeaders('traceparent');
    const line = await world.log.of(response.headers.get('x-request-id'));
    const later = newContext();
    await world.call('/me', { token, headers: { traceparent: later.traceparent } });
    await receiver.spansOf(later.traceId, 4);
    expect(forwarded).toBe(`00-${traceId}-${String(line['spanId'])}-00`);
    expect([line['traceId'], line['spanId'] === parentId]).toEqual([traceId, false]);
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });

  it.each([
    ['that is none', { traceparent: '00-zz' }],
    ['of an unknown form', { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01-more` }],
    ['without an id', { traceparent: `00-${'0'.repeat(32)}-${'2'.repeat(16)}-01`, tracestate: 'vendor=1' }],
    ['with a state alone', { tracestate: 'vendor=1' }],
  ])('%s begins a trace anew', async (_, headers: Record<string, string>) => {
    const response = await world.call('/open', { headers });
    const { traceId } = await world.log.of(response.headers.get('x-request-id'));
    const root = spanOf(await receiver.spansOf(String(traceId), 2), 'GET /open');
    expect([root.parentSpanId, receivedHeaders('tracestate')]).toEqual(['', []]);
    expect(receivedHeaders('traceparent')).toEqual([expect.stringMatching(`^00-${String(traceId)}-[\\da-f]{16}-01$`)]);
  });
});

describeWithRedis('a traced call of a gateway with Redis', () => {
  it('has a span for each command that the exchange waits for', async () => {
    const redis = await startRedis();
    const own = await startGatewayWorld({
      emulator,
      tokenCache: { redis: { url: redis.url } },
      redisLookupTimeoutMs: 2_000,
      env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`, OTEL_BSP_SCHEDULE_DELAY: '50' },
    });
    const { traceId, traceparent } = newContext();
    const response = await own.call('/me', { token: newToken(), headers: { traceparent } });
    const spans = await receiver.spansOf(traceId, 7);
    await own.close();
    await redis.close();
    const commands = spans.filter(({ name }) => name === 'redis');
    expect([response.status, treeOf(spans, spanOf(spans, 'GET /me'))]).toEqual([
      200,
      {
        'GET /me': [{ authenticate: [] }, { exchange: [{ redis: [] }, { redis: [] }, { redis: [] }] }, { forward: [] }],
      },
    ]);
    expect(commands.map(({ attributes }) => String(attributes['db.operation.name'])).toSorted()).toEqual([
      'get',
      'get',
      'lock',
    ]);
    expect([commands[0]?.kind, commands[0]?.attributes['db.system.name']]).toEqual([CLIENT, 'redis']);
  });
});

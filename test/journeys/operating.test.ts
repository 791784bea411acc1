import { afterAll, describe, expect, it } from '@jest/globals';
import { claimsOf } from '../dev/token-requests.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest } from '../support/raw-request.ts';

const world = await startGatewayWorld();
afterAll(() => world.close());

async function readMetrics(): Promise<string> {
  return (await fetch(`${world.managementUrl}/metrics`)).text();
}

/** The value of one metric with its labels. */
async function readMetric(name: string): Promise<string | undefined> {
  const line = (await readMetrics()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line?.slice(name.length + 1);
}

describe('the probes', () => {
  it.each(['/livez', '/healthz', '/readyz'])('%s is well while all is well', async (path) => {
    const response = await fetch(`${world.managementUrl}${path}`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it.each(['/livez', '/readyz', '/metrics'])('%s is not on the port of the API', async (path) => {
    expect((await world.call(path)).status).toBe(404);
  });

  it('the API is not on the port of the probes', async () => {
    expect((await fetch(`${world.managementUrl}/open`)).status).toBe(404);
  });
});

describe('the metrics', () => {
  it('have the names that the operators’ dashboards use', async () => {
    await world.call('/me', { token: world.token('adele') });
    await world.call('/me', { token: world.token('newcomer') });
    await until('both requests are counted', async () => (await readMetrics()).includes('status="403"'));
    const names = [
      'gateway_http_requests_total{operation="getProfile",method="GET",status="200",via="proxy"}',
      'gateway_http_requests_total{operation="getProfile",method="GET",status="403",via="proxy"}',
      'gateway_http_request_duration_seconds_count{operation="getProfile"}',
      'gateway_downstream_request_duration_seconds_count{downstream="api"}',
      'gateway_exchanges_total{downstream="api",outcome="token"}',
      'gateway_exchanges_total{downstream="api",outcome="consent"}',
      'gateway_exchange_duration_seconds_count{downstream="api",outcome="token"}',
      'gateway_token_cache_total{level="memory",outcome="miss"}',
      'gateway_problems_total{code="consent_required"}',
      'gateway_sessions',
    ];
    expect(await Promise.all(names.map(readMetric))).toEqual(['1', '1', '2', '1', '1', '1', '1', '2', '1', '2']);
  });

  it('show the circuit of a downstream that cannot be reached', async () => {
    for (let call = 0; call < 50; call += 1) {
      await world.call('/gone');
    }
    const series = ['gateway_circuit_state', 'gateway_circuit_openings_total'].flatMap((name) =>
      ['gone', 'api'].map((downstream) => `${name}{circuit="downstream:${downstream}"}`),
    );
    // After two seconds it is half-open.
    expect(await Promise.all(series.map(readMetric))).toEqual([expect.stringMatching(/^[12]$/), '0', '1', '0']);
  });

  it('take no word of a caller', async () => {
    await rawRequest(world.port, [
      'PROPFIND /caller-made HTTP/1.1',
      'Host: caller-made',
      'X-Request-Id: of-the-caller',
    ]);
    await world.call('/orders/caller-made?caller-made=1', { token: world.token('adele') });
    await world.call('/caller-made', { method: 'DELETE' });
    await until('the last one is counted', async () => (await readMetrics()).includes('method="DELETE"'));
    const made = (await readMetrics()).split('\n').filter((line) => /caller-made|PROPFIND/.test(line));
    expect(made).toEqual([]);
    expect(
      await readMetric('gateway_http_requests_total{operation="none",method="other",status="404",via="proxy"}'),
    ).toBe('1');
  });

  it('count requests that could not even be parsed', async () => {
    await rawRequest(world.port, ['GARBAGE']);
    await until('the fault is logged', () => world.log.text.includes('"code":"invalid_request"'));
    expect(await readMetric('gateway_problems_total{code="invalid_request"}')).toBe('1');
  });
});

describe('the log', () => {
  it('has one line for each request, with who, what, how it ended and how long it took', async () => {
    const token = world.token('adele');
    const id = 'log-test.1';
    await world.call('/orders/1234567?secret=query', { token, headers: { 'x-request-id': id } });
    await world.log.of(id);
    const claims = claimsOf(token);
    expect(world.log.lines.filter(({ requestId }) => requestId === id)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        msg: 'request',
        requestId: id,
        operation: 'GET /orders/{orderId}',
        method: 'GET',
        status: 200,
        tid: claims['tid'],
        oid: claims['oid'],
        azp: claims['azp'],
        clientAddress: '127.0.0.1',
        userAgent: 'node',
        downstream: 'orders',
        token: 'entra',
        correlationId: world.emulator.exchanges.at(-1)?.form['client-request-id'],
        exchangeMs: expect.any(Number),
        downstreamMs: expect.any(Number),
        ms: expect.any(Number),
        callerGone: false,
      },
    ]);
  });

  it.each([
    ['that a front names, where the front is trusted', ['127.0.0.0/8'], '192.0.2.7'],
    ['at the other end, where it is not', [], '127.0.0.1'],
  ])('has the address of the client %s', async (_, trustedProxies, address) => {
    const other = await startGatewayWorld({ server: { trustedProxies } });
    const headers = { 'x-forwarded-for': '203.0.113.9, 192.0.2.7' };
    const answers = [await other.call('/open', { headers }), await other.call('/open', { headers })];
    const lines = await Promise.all(answers.map((answer) => other.log.of(answer.headers.get('x-request-id'))));
    await other.close();
    expect(lines.map(({ clientAddress }) => clientAddress)).toEqual([address, address]);
  });

  it('says that the second call needed no exchange', async () => {
    const token = world.token('adele');
    await world.call('/me', { token });
    const second = await world.call('/me', { token });
    const line = await world.log.of(second.headers.get('x-request-id'));
    expect([line['token'], line['exchangeMs'], line['correlationId']]).toEqual(['session', undefined, undefined]);
  });

  it('says why a token was refused, which the caller is not told', async () => {
    const response = await world.call('/me', { token: world.token('adele', { claims: { aud: 'api://other' } }) });
    const text = await response.text();
    const line = await world.log.of(response.headers.get('x-request-id'));
    expect([line['reason'], text.includes('audience')]).toEqual([expect.stringContaining('audience'), false]);
  });

  it('never has a token, a query, a path as it was sent, or a body', async () => {
    await world.call('/me?q=private-query', { token: world.token('adele') });
    await world.call('/private-path');
    const last = await world.call('/orders', {
      method: 'POST',
      token: world.token('adele'),
      headers: { 'content-type': 'application/json', cookie: 'private-cookie' },
      body: '{"private-body":1}',
    });
    await world.log.of(last.headers.get('x-request-id'));
    expect(world.log.text).not.toMatch(/eyJ|Bearer|private-|secret|1234567|caller-made/);
  });

  it('says that the caller left', async () => {
    world.downstream.answer = () => undefined;
    const leaving = new AbortController();
    const call = world.call('/open', { signal: leaving.signal, headers: { 'x-request-id': 'leaving' } });
    await until('the downstream is asked', () => world.downstream.last.url === '/open');
    leaving.abort();
    await expect(call).rejects.toThrow();
    expect(await world.log.of('leaving')).toMatchObject({
      status: 499,
      callerGone: true,
      level: 'info',
      clientAddress: '127.0.0.1',
    });
    world.downstream.reset();
  });
});

describe('whose request id counts', () => {
  it.each([
    { what: 'a short clean one of the caller', given: 'abc-123_x.y:z', kept: true },
    { what: 'one of 64 characters', given: 'a'.repeat(64), kept: true },
    { what: 'one that is too long', given: 'a'.repeat(65), kept: false },
    { what: 'one with other characters', given: 'a"b', kept: false },
    { what: 'an empty one', given: '', kept: false },
    { what: 'none', given: undefined, kept: false },
  ])('$what', async ({ given, kept }) => {
    const response = await world.call('/open', given === undefined ? {} : { headers: { 'x-request-id': given } });
    const id = response.headers.get('x-request-id');
    const passedOn = world.downstream.last.rawHeaders.join('\n');
    expect(id).toEqual(kept ? given : expect.stringMatching(/^[0-9a-f-]{36}$/));
    expect(passedOn).toContain(`x-request-id\n${id}`);
  });
});

describe('the gateway stops', () => {
  it('it is not ready any more, finishes what is in flight, and takes nothing new', async () => {
    const own = await startGatewayWorld({ emulator: world.emulator });
    let finish: (() => unknown) | undefined;
    own.downstream.answer = (_req, res) => {
      res.write('begun ');
      finish = () => res.end('and finished');
    };
    const response = await own.call('/open');
    const stopped = own.gateway.stop();
    await until('readiness is gone', async () => (await fetch(`${own.managementUrl}/readyz`)).status === 503);
    const ready = await fetch(`${own.managementUrl}/readyz`);
    expect(await ready.json()).toEqual({ status: 'not ready', reason: 'draining' });
    expect((await fetch(`${own.managementUrl}/livez`)).status).toBe(200);
    // A busy process may close its port a moment later.
    await until('nobody else can connect', () =>
      own.call('/no/such/path').then(
        () => false,
        () => true,
      ),
    );
    await expect(own.call('/open')).rejects.toThrow('fetch failed');
    finish?.();
    expect(await response.text()).toBe('begun and finished');
    await stopped;
    await expect(fetch(`${own.managementUrl}/livez`)).rejects.toThrow('fetch failed');
    await own.close();
  });

  it('it does not wait longer than the drain timeout', async () => {
    const own = await startGatewayWorld({ emulator: world.emulator, server: { drainTimeout: '50ms' } });
    own.downstream.answer = (_req, res) => res.write('begun ');
    const response = await own.call('/open');
    await own.gateway.stop();
    await expect(response.text()).rejects.toThrow('terminated');
    await own.close();
  });
});

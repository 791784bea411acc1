import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import {
  answerChallenge,
  answerInTurn,
  answerPlainly,
  readBody,
  valuesOf,
  type Answer,
} from '../support/gateway-downstream.ts';
import { readChallenge, readClaims, readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const world = await startGatewayWorld();
const { emulator, downstream } = world;
afterAll(() => world.close());
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
});

const NBF = '{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}';
const XMS = '{"access_token":{"xms_caeerror":{"value":"10012"}}}';

function encode(claims: string | Buffer): string {
  return Buffer.from(claims).toString('base64');
}

const graphForm = (claims: string): string =>
  'Bearer realm="", authorization_uri="https://phish.example/authorize", client_id="00000003-0000-0000-c000-000000000000", ' +
  `errorDescription="Continuous access evaluation resulted in challenge, see %20", error="insufficient_claims", claims="${encode(claims)}"`;
const armForm = (claims: string): string =>
  `Bearer authorization_uri="https://phish.example/", error="invalid_token", error_description="User session has been revoked", claims=${encode(claims).replace(/=+$/, '')}`;

function putUpload(token: string, body: string | Buffer): Promise<Response> {
  return world.call('/upload', { method: 'PUT', token, body });
}

describe('a downstream wants a new proof and Entra gives the token', () => {
  it.each([
    { form: 'Graph’s form', challenges: [graphForm(NBF)] },
    { form: 'Azure Resource Manager’s form', challenges: [armForm(NBF)] },
    { form: 'a second scheme before it', challenges: [`Basic realm="a, b", ${graphForm(NBF)}`] },
    { form: 'a header line of its own', challenges: ['Negotiate abc==', graphForm(NBF)] },
    { form: 'url-safe base64', challenges: [`bearer claims="${Buffer.from(NBF).toString('base64url')}"`] },
  ])('in $form: the caller notices nothing', async ({ challenges }) => {
    downstream.answer = answerInTurn(answerChallenge(...challenges), answerPlainly);
    const before = emulator.exchanges.length;
    const response = await world.call('/me', { token: world.token('adele') });
    expect([response.status, downstream.requests.length]).toEqual([200, 2]);
    expect(emulator.exchanges.slice(before).map((exchange) => exchange.claims && JSON.parse(exchange.claims))).toEqual([
      undefined,
      expect.objectContaining(JSON.parse(NBF) as object),
    ]);
    const [first, second] = downstream.requests.map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'));
    expect(first).not.toEqual(second);
  });

  it('both exchanges have one id at Entra, which the log names', async () => {
    downstream.answer = answerInTurn(answerChallenge(graphForm(NBF)), answerPlainly);
    const response = await world.call('/me', { token: world.token('adele') });
    const { correlationId } = await world.log.of(response.headers.get('x-request-id'));
    expect(emulator.exchanges.slice(-2).map(({ form }) => form['client-request-id'])).toEqual([
      correlationId,
      correlationId,
    ]);
  });

  it('the new token is kept for the next call', async () => {
    const token = world.token('adele');
    downstream.answer = answerInTurn(answerChallenge(graphForm(NBF)), answerPlainly);
    await world.call('/me', { token });
    const before = emulator.exchanges.length;
    await world.call('/me', { token });
    expect(emulator.exchanges).toHaveLength(before);
    const [, second, third] = downstream.requests.map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'));
    expect(third).toEqual(second);
  });

  it.each([0, 1, 65_535])('a body of %d bytes is sent once more, the same', async (size) => {
    downstream.answer = answerInTurn(readAndChallenge(graphForm(NBF)), answerPlainly);
    const body = Buffer.alloc(size, 'abc');
    expect((await putUpload(world.token('adele'), body)).status).toBe(200);
    expect(downstream.requests.map((request) => request.body.equals(body))).toEqual([true, true]);
  });

  it('the same headers are dropped from the second sending as from the first', async () => {
    downstream.answer = answerInTurn(answerChallenge(graphForm(NBF)), answerPlainly);
    const headers = { cookie: 'a=b', 'x-ms-token-aad-id-token': 'evil', 'x-custom': 'kept' };
    await world.call('/me', { token: world.token('adele'), headers });
    expect(
      downstream.requests.map(({ rawHeaders }) =>
        ['cookie', 'x-ms-token-aad-id-token', 'x-custom'].map((name) => valuesOf(rawHeaders, name)),
      ),
    ).toEqual([
      [[], [], ['kept']],
      [[], [], ['kept']],
    ]);
  });
});

describe('a downstream wants a new proof and it cannot be had', () => {
  it('a body that is too large to be kept: the caller is asked, and sends it again', async () => {
    downstream.answer = readAndChallenge(graphForm(NBF));
    const response = await putUpload(world.token('adele'), Buffer.alloc(65_536));
    expect([response.status, readClaims(response), downstream.requests.length]).toEqual([401, NBF, 1]);
    downstream.answer = answerPlainly;
    const again = await putUpload(world.token('adele'), Buffer.alloc(65_536));
    expect([again.status, downstream.last.body.length]).toEqual([200, 65_536]);
  });

  it('the downstream refuses the new token too: its claims come under our name, and nothing else of it', async () => {
    downstream.answer = answerInTurn(answerChallenge(graphForm(NBF)), answerChallenge(armForm(XMS)));
    const response = await world.call('/me', { token: world.token('adele') });
    const text = `${response.headers.get('www-authenticate')} ${await response.clone().text()}`;
    expect([response.status, readClaims(response), downstream.requests.length]).toEqual([401, XMS, 2]);
    expect(readChallenge(response).map(([name]) => name)).toEqual([
      'realm',
      'authorization_uri',
      'client_id',
      'error',
      'resource_metadata',
      'claims',
    ]);
    expect(text).not.toMatch(/phish|00000003|revoked|Continuous/);
  });

  it('Entra refuses with claims of its own: those count', async () => {
    const token = world.token('adele');
    await world.call('/me', { token });
    const own = '{"access_token":{"capolids":{"essential":true,"values":["p"]}}}';
    emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims: own };
    downstream.answer = answerChallenge(graphForm(NBF));
    const response = await world.call('/me', { token });
    expect([response.status, readClaims(response)]).toEqual([401, own]);
  });

  it.each([
    { what: 'a revoked grant', error: { error: 'invalid_grant', error_codes: [50173] } },
    {
      what: 'interaction without claims',
      error: { error: 'invalid_grant', error_codes: [50076], suberror: 'basic_action' },
    },
  ])('Entra refuses for $what: the downstream’s claims count', async ({ error, what }) => {
    const token = world.token('adele');
    await world.call('/me', { token });
    emulator.switches.refuse = error;
    // Claims of their own, because the third time the same ones would be a loop.
    const claims = JSON.stringify({ access_token: { xms_test: { value: what } } });
    downstream.answer = answerChallenge(graphForm(claims));
    const response = await world.call('/me', { token });
    expect([response.status, (await readProblem(response)).code, readClaims(response)]).toEqual([
      401,
      'insufficient_claims',
      claims,
    ]);
  });

  it.each([
    { what: 'has no consent', error: { error: 'invalid_grant', error_codes: [65001] }, status: 403 },
    { what: 'denies for good', error: { error: 'invalid_grant', error_codes: [50057] }, status: 403 },
    { what: 'is down', error: { error: 'server_error', error_codes: [], status: 500 }, status: 503 },
  ])('Entra $what: that is the answer', async ({ error, status }) => {
    const token = world.token('adele');
    await world.call('/me', { token });
    emulator.switches.refuse = error;
    downstream.answer = answerChallenge(graphForm(NBF));
    const response = await world.call('/me', { token });
    expect([response.status, readClaims(response)]).toEqual([status, undefined]);
  });
});

describe('a client that calls again and again with the same token', () => {
  it.each([
    { refusedBy: 'the downstream', prepare: (): void => undefined },
    {
      refusedBy: 'Entra',
      prepare: (): void => {
        downstream.answer = (req, res, body) => {
          emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50173], suberror: 'bad_token' };
          return answerChallenge(graphForm(NBF))(req, res, body);
        };
      },
    },
  ])('and is refused by $refusedBy costs neither of them anything for a minute', async ({ prepare }) => {
    const token = world.token('adele');
    downstream.answer = answerChallenge(graphForm(NBF));
    prepare();
    const first = await world.call('/me', { token });
    const [exchanges, requests] = [emulator.exchanges.length, downstream.requests.length];
    const again = await Promise.all(Array.from({ length: 5 }, () => world.call('/me', { token })));
    expect(again.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 401));
    expect(again.map((response) => readClaims(response))).toEqual(Array.from({ length: 5 }, () => readClaims(first)));
    expect([emulator.exchanges.length, downstream.requests.length]).toEqual([exchanges, requests]);

    emulator.resetSwitches();
    downstream.answer = answerPlainly;
    world.advance(60_000);
    expect((await world.call('/me', { token })).status).toBe(200);
  });
});

describe('a downstream that refuses every token and does not say why', () => {
  it.each([
    { who: 'a person', path: '/me', newToken: () => world.token('adele') },
    { who: 'an app', path: '/orders', newToken: () => emulator.issueAccessToken({ app: 'daemon' }) },
  ])('costs one more exchange a minute, not one for each call of $who', async ({ path, newToken }) => {
    downstream.answer = answerChallenge('Bearer realm="x"');
    const token = newToken();
    const counts = [];
    for (const minute of [0, 1]) {
      world.advance(minute * 60_000);
      const before = emulator.exchanges.length;
      const responses = [];
      for (let time = 0; time < 5; time += 1) {
        responses.push(await world.call(path, { token }));
      }
      expect(responses.map(({ status }) => status)).toEqual([502, 502, 502, 502, 502]);
      counts.push(emulator.exchanges.length - before);
    }
    expect(counts).toEqual([2, 1]);
  });
});

describe('an upload that is too large to be sent twice by us', () => {
  it('succeeds when the caller sends it again with a new token', async () => {
    const seen = new Set<string>();
    downstream.answer = async (req, res, body) => {
      const { authorization = '' } = req.headers;
      const newest = emulator.exchanges.findLast(({ status }) => status === 200);
      if (newest?.claims?.includes('nbf') === true) {
        seen.add(authorization);
      }
      await readBody(req);
      return (seen.has(authorization) ? answerPlainly : answerChallenge(graphForm(NBF)))(req, res, body);
    };
    const large = Buffer.alloc(100_000);
    expect((await putUpload(world.token('guest'), large)).status).toBe(401);
    expect((await putUpload(world.token('guest'), large)).status).toBe(200);
  });
});

describe('two operations of one downstream', () => {
  it('the challenge of one does not lock the other', async () => {
    const token = world.token('adele');
    downstream.answer = (req, res, body) =>
      req.method === 'PUT' ? answerChallenge(graphForm(NBF))(req, res, body) : answerPlainly(req, res, body);
    expect((await world.call('/me', { token })).status).toBe(200);
    expect((await putUpload(token, 'small')).status).toBe(401);
    expect((await world.call('/me', { token })).status).toBe(200);
  });
});

describe('a downstream’s claims could be hostile', () => {
  it.each([
    { what: 'they are no base64', claims: '!!!"' },
    { what: 'they are no UTF-8', claims: encode(Buffer.from([0xff, 0xfe])) },
    { what: 'they are no JSON', claims: encode('access_token') },
    { what: 'they are an array', claims: encode('[{"access_token":{}}]') },
    { what: 'they have another member', claims: encode('{"access_token":{},"id_token":{"x":{}}}') },
    { what: 'they ask for an ID token', claims: encode('{"id_token":{"email":null}}') },
    { what: 'their member is no object', claims: encode('{"access_token":"https://phish.example"}') },
    { what: 'they are larger than 4 kB', claims: encode(`{"access_token":{"x":"${'y'.repeat(4_096)}"}}`) },
  ])('$what: 401 without claims, and Entra is not asked again', async ({ claims }) => {
    // A call that goes well: the cases before this one are no loop.
    expect((await world.call('/me', { token: world.token('adele') })).status).toBe(200);
    downstream.requests.length = 0;
    downstream.answer = answerChallenge(`Bearer error="insufficient_claims", claims="${claims.replaceAll('"', '')}"`);
    const before = emulator.exchanges.length;
    const response = await world.call('/me', { token: world.token('adele') });
    expect([response.status, readClaims(response), downstream.requests.length]).toEqual([401, undefined, 1]);
    expect(new Map(readChallenge(response)).get('error')).toBe('invalid_token');
    expect(emulator.exchanges.slice(before)).toHaveLength(1);
  });

  it('they are empty: that is no challenge of the user', async () => {
    downstream.answer = answerChallenge('Bearer error="insufficient_claims", claims=""');
    const response = await world.call('/me', { token: world.token('adele') });
    expect([response.status, readClaims(response)]).toEqual([502, undefined]);
  });

  it('they come to an anonymous caller: only our own challenge passes, without claims', async () => {
    downstream.answer = answerChallenge(graphForm(NBF));
    const response = await world.call('/open');
    expect([response.status, readChallenge(response).map(([name]) => name)]).toEqual([
      401,
      ['realm', 'authorization_uri', 'client_id', 'resource_metadata'],
    ]);
    expect(response.headers.get('www-authenticate')).not.toContain('phish');
  });
});

/** A call of an application for itself. */
function callAsApp(path = '/orders', init: RequestInit = {}): Promise<Response> {
  return world.call(path, { token: emulator.issueAccessToken({ app: 'daemon' }), ...init });
}

function countOwnExchanges(): number {
  return emulator.exchanges.filter(({ grantType }) => grantType === 'client_credentials').length;
}

/** Answers with a challenge all tokens but those that are newer than now. */
function revokeAll(challenge: string): void {
  const revoked = new Set<string>();
  const after = countOwnExchanges();
  downstream.answer = (req, res, received) => {
    const value = req.headers.authorization ?? '';
    if (countOwnExchanges() === after) {
      revoked.add(value);
    }
    return (revoked.has(value) ? readAndChallenge(challenge) : answerPlainly)(req, res, received);
  };
}

describe('the gateway’s own token is revoked', () => {
  afterEach(() => world.advance(60_000));

  it.each([
    { what: 'with claims in Graph’s form', challenge: graphForm(NBF), claims: '1604106651' },
    { what: 'with claims in the form of Azure Resource Manager', challenge: armForm(NBF), claims: '1604106651' },
    { what: 'with claims that nobody can read', challenge: 'Bearer claims="e30"', claims: '' },
    { what: 'without claims', challenge: 'Bearer error="invalid_token"', claims: '' },
  ])('$what: a new one is fetched, and the request is sent once more', async ({ challenge, claims }) => {
    await callAsApp();
    const before = countOwnExchanges();
    revokeAll(challenge);
    const response = await callAsApp();
    expect([response.status, response.headers.has('www-authenticate'), countOwnExchanges() - before]).toEqual([
      200,
      false,
      1,
    ]);
    expect(emulator.exchanges.at(-1)?.form['claims'] ?? '').toContain(claims);
    const [first, second] = downstream.requests
      .slice(-2)
      .map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'));
    expect(first).not.toEqual(second);
  });

  it('all who call at that time are served by one new token', async () => {
    await callAsApp();
    const before = countOwnExchanges();
    revokeAll(graphForm(NBF));
    const responses = await Promise.all(Array.from({ length: 20 }, () => callAsApp()));
    expect([new Set(responses.map(({ status }) => status)), countOwnExchanges() - before]).toEqual([new Set([200]), 1]);
  });

  it('a small body is sent once more as it was', async () => {
    await callAsApp('/upload', { method: 'PUT' });
    revokeAll(graphForm(NBF));
    const response = await callAsApp('/upload', { method: 'PUT', body: 'item 1' });
    expect([response.status, downstream.requests.slice(-2).map(({ body }) => body.toString())]).toEqual([
      200,
      ['item 1', 'item 1'],
    ]);
  });

  it('the downstream refuses the new one, too: it is not the caller’s fault, and costs no exchange for each call', async () => {
    downstream.answer = answerChallenge(graphForm(NBF));
    const before = countOwnExchanges();
    const responses = [];
    for (let time = 0; time < 20; time += 1) {
      responses.push(await callAsApp());
    }
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([502]));
    expect(responses.map((response) => readClaims(response) ?? 'none')).toEqual(responses.map(() => 'none'));
    expect((await readProblem(responses[0] ?? new Response())).code).toBe('downstream_rejected_token');
    expect(countOwnExchanges() - before).toBeLessThanOrEqual(3);
  });

  it('Entra refuses what the downstream asks for: that is for the operator', async () => {
    await callAsApp();
    downstream.answer = (req, res, received) => {
      emulator.switches.refuse = { error: 'invalid_grant', error_codes: [53003], claims: XMS };
      return answerChallenge(graphForm(NBF))(req, res, received);
    };
    const response = await callAsApp();
    expect([response.status, response.headers.has('www-authenticate')]).toEqual([500, false]);
  });
});

/** Takes the whole body and then refuses the token. */
function readAndChallenge(challenge: string): Answer {
  return async (req, res, received) => {
    received.body = await readBody(req);
    res.writeHead(401, ['www-authenticate', challenge]).end();
  };
}

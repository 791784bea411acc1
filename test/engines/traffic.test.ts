import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { answerPlainly, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';
import { ASK_FOR_WEBSOCKET, echoBytes } from '../support/websocket-echo.ts';
import { describeWithEngines, ENGINES } from './engine.ts';
import { essenceOf, send, startEngineWorld, type EngineWorld } from './engine-world.ts';

/** What callers may not tell an API. */
const FORGED = [
  'Cookie: a=b',
  'Forwarded: for=6.6.6.6',
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Host: evil',
  'X-Forwarded-Proto: gopher',
  'X-Forwarded-User: root',
  'X-Forwarded-Uri: /open',
  'X-Forwarded-Method: GET',
  'X-Original-URI: /open',
  'X-Original-Method: GET',
  'X-Original-URL: /admin',
  'X-Rewrite-URL: /admin',
  'X-HTTP-Method-Override: DELETE',
  'X-Real-IP: 6.6.6.6',
  'X-MS-CLIENT-PRINCIPAL: e30=',
  'X-MS-CLIENT-PRINCIPAL-NAME: root',
  'X-MS-TOKEN-AAD-ACCESS-TOKEN: a.b.c',
  'X-MS-TOKEN-AAD-ID-TOKEN: a.b.c',
  'X_MS_CLIENT_PRINCIPAL: e30=',
  'Proxy-Authorization: Basic YTpi',
  'X-Downstream-Status: 401',
  'X-Downstream-Attempt: 1',
  'X-Downstream-Authorization: Bearer a.b.c',
  'X-Downstream-Challenge: Bearer claims="e30="',
  'X-Envoy-Auth-Headers-To-Remove: x-api',
  'Client-Cert: :YQ==:',
  'Remote-User: root',
];
const FORGED_NAMES = new Set(FORGED.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()));
/** Of these names the API may see what the engine itself says. */
const OWN_NAMES = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'];

describeWithEngines('calls that pass', () => {
  let world: EngineWorld;
  beforeAll(async () => {
    world = await startEngineWorld();
  });
  afterEach(() => {
    world.emulator.resetSwitches();
    world.downstream.reset();
  });
  afterAll(() => world?.close());

  describe.each(ENGINES)('%s', (name) => {
    const portOf = (): number => world.engines[name].port;

    it('the API gets its own token, and nothing of what the caller forged', async () => {
      const token = world.token('adele');
      const { status } = await send(portOf(), { line: 'GET /me?a=b', token, headers: FORGED });
      const { rawHeaders, url } = world.downstream.last;
      const [authorization = '', ...more] = valuesOf(rawHeaders, 'authorization');
      const { aud } = decodeJwt(authorization.replace('Bearer ', ''));
      const forged = rawHeaders.filter(
        (header, index) =>
          index % 2 === 0 && FORGED_NAMES.has(header.toLowerCase()) && !OWN_NAMES.includes(header.toLowerCase()),
      );
      const said = OWN_NAMES.flatMap((header) => valuesOf(rawHeaders, header)).join();
      expect([status, url, aud, more, forged]).toEqual([200, '/me?a=b', 'https://graph.microsoft.com', [], []]);
      expect(said).not.toMatch(/6\.6\.6\.6|evil|gopher/);
      expect(said).toContain('127.0.0.1');
    });

    it('the API gets a Host of its own, and hears in another header which one the caller used', async () => {
      await send(portOf(), { line: 'GET /open' });
      const { rawHeaders } = world.downstream.last;
      const own = [['orders.internal'], [`127.0.0.1:${world.downstream.port}`]];
      expect(own).toContainEqual(valuesOf(rawHeaders, 'host'));
      expect(valuesOf(rawHeaders, 'x-forwarded-host')).toEqual(['api.contoso.com']);
    });

    it('an operation that needs no token never gets the caller’s', async () => {
      const token = world.token('adele');
      const { status } = await send(portOf(), { line: 'GET /open', token });
      expect([status, valuesOf(world.downstream.last.rawHeaders, 'authorization')]).toEqual([200, []]);
    });

    it('the log of the service, the API and the caller have one id', async () => {
      const given = await send(portOf(), { line: 'GET /open', headers: ['X-Request-Id: mine-1'] });
      const [told] = valuesOf(world.downstream.last.rawHeaders, 'x-request-id');
      const made = await send(portOf(), { line: 'GET /open', headers: ['X-Request-Id: {not clean}'] });
      const [invented] = valuesOf(world.downstream.last.rawHeaders, 'x-request-id');
      expect([told, given.all('x-request-id')]).toEqual(['mine-1', ['mine-1']]);
      expect(made.all('x-request-id')).toEqual([invented]);
      await world.log.of(invented ?? '');
      const two = await send(portOf(), { line: 'GET /open', headers: ['X-Request-Id: one', 'X-Request-Id: {two}'] });
      const ids = valuesOf(world.downstream.last.rawHeaders, 'x-request-id');
      expect([ids, two.all('x-request-id')]).toEqual([[expect.stringMatching(/^[\w-]+$/)], ids]);
    });

    it('a refusal has the id of the call, also where the caller names it in Connection', async () => {
      const headers = ['X-Request-Id: mine-2', 'Connection: X-Request-Id'];
      const { status, all } = await send(portOf(), { line: 'GET /me', headers });
      expect([status, all('x-request-id')]).toEqual([401, ['mine-2']]);
    });

    it('the log of the service has the address of the caller', async () => {
      const from = { port: portOf(), localAddress: '127.0.0.7' };
      const id = `from-${name}`;
      await rawRequest(from, ['GET /open HTTP/1.1', 'Host: a', `X-Request-Id: ${id}`, 'X-Forwarded-For: 6.6.6.6']);
      expect(await world.log.of(id)).toMatchObject({ via: 'check', clientAddress: '127.0.0.7' });
    });

    it('a caller cannot name headers that the next server takes away', async () => {
      const call = { line: 'GET /me', headers: ['Connection: authorization, x-forwarded-for'] };
      await send(portOf(), { ...call, token: world.token('adele') });
      // Caddy does as it is told and asks without the token: the call is refused.
      for (const { rawHeaders } of world.downstream.requests) {
        expect(valuesOf(rawHeaders, 'connection').join()).not.toMatch(/authorization|forwarded/);
      }
    });

    it('a path goes on byte for byte as it was checked', async () => {
      for (const target of ['/things/a%2Fb%20c?q=%41&q=+', '/files/a/b%3Bc/d?x', '/things/%C3%A9;v=1', '/open?']) {
        const { status } = await send(portOf(), { line: `GET ${target}` });
        expect([status, world.downstream.last.url]).toEqual([200, target]);
      }
    });

    it.each([1, 300_000])('a body of %d bytes arrives, and one comes back', async (size) => {
      const body = Buffer.alloc(size, 'abc');
      world.downstream.answer = answerWith(200, [], body);
      const answer = await send(portOf(), { line: 'PUT /upload', token: world.token('adele'), body });
      expect([answer.status, answer.body.length]).toEqual([200, size]);
    });

    it('chunks arrive, and a body that waits to be asked for', async () => {
      const chunked = new RawConnection(portOf());
      world.downstream.answer = answerPlainly;
      chunked
        .send('PUT /open HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')
        .write('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
      expect((await chunked.response()).status).toBe(200);
      expect(world.downstream.last.body.toString()).toBe('abcde');
      chunked.close();
      const waiting = new RawConnection(portOf());
      waiting.send('PUT /open HTTP/1.1', 'Host: a', 'Content-Length: 3', 'Expect: 100-continue');
      await waiting.untilReceived('100 Continue');
      waiting.write('abc');
      expect((await waiting.response()).status).toBe(200);
      expect(world.downstream.last.body.toString()).toBe('abc');
      waiting.close();
    });

    it('the API is asked for the coding that the caller asked for, and its answer comes as it is', async () => {
      const coding = ['content-encoding', 'gzip', 'content-type', 'application/json'];
      world.downstream.answer = answerWith(200, coding, gzipSync('{}'));
      for (const path of ['/open', '/files/a/openapi.json']) {
        for (const headers of [[], ['Accept-Encoding: br']]) {
          const { body } = await send(portOf(), { line: `GET ${path}`, headers });
          const asked = valuesOf(world.downstream.last.rawHeaders, 'accept-encoding');
          expect([body, asked]).toEqual([gzipSync('{}').toString('latin1'), headers.map(() => 'br')]);
        }
      }
    });

    it('a HEAD has the head of a GET', async () => {
      world.downstream.answer = answerWith(200, ['content-length', '7', 'x-own', 'yes']);
      const answer = await send(portOf(), { line: 'HEAD /open' });
      expect([answer.status, answer.header('content-length'), answer.header('x-own')]).toEqual([200, '7', 'yes']);
      expect(world.downstream.last.method).toBe('HEAD');
    });

    it('an event arrives before the next one is made', async () => {
      let sendNext: (() => unknown) | undefined;
      world.downstream.answer = (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        sendNext = () => res.end('data: 2\n\n');
      };
      const stream = new RawConnection(portOf());
      stream.send('GET /open HTTP/1.1', 'Host: a', 'Connection: close');
      await stream.untilReceived('data: 1');
      expect(stream.received).not.toContain('data: 2');
      sendNext?.();
      await stream.untilReceived('data: 2');
      stream.close();
    });

    it('a WebSocket opens with a token, and is refused as by the proxy without', async () => {
      world.downstream.upgrade = echoBytes;
      const lines = [...ASK_FOR_WEBSOCKET, `Authorization: Bearer ${world.token('adele')}`];
      const socket = new RawConnection(portOf());
      socket.send('GET /live HTTP/1.1', ...lines);
      await socket.untilReceived('\r\n\r\n');
      socket.write('hello');
      await until('the echo is back', () => socket.received.endsWith('hello'));
      expect(socket.received).toMatch(/^HTTP\/1\.1 101 /);
      socket.close();
      const refusals = [];
      for (const port of [world.port, portOf()]) {
        const refused = new RawConnection(port);
        refused.send('GET /live HTTP/1.1', ...ASK_FOR_WEBSOCKET, 'X-Request-Id: same');
        refusals.push(essenceOf(await refused.response()));
        refused.close();
      }
      expect(refusals[1]).toEqual(refusals[0]);
    });

    it('no tunnel of another protocol opens', async () => {
      await send(portOf(), {
        line: 'GET /open',
        headers: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'],
      });
      expect(valuesOf(world.downstream.last.rawHeaders, 'upgrade')).toEqual([]);
    });

    it('a token of 9 kB passes', async () => {
      const token = world.token('adele', { claims: { padding: 'p'.repeat(6_500) } });
      const { status } = await send(portOf(), { line: 'GET /me', token });
      expect([status, token.length > 9_000]).toEqual([200, true]);
    });

    it('no description of another dialect, and no report that a caller forges, opens a door', async () => {
      const headers = FORGED.filter((line) => !line.startsWith('Cookie'));
      const { status } = await send(portOf(), { line: 'GET /me', headers });
      expect([status, world.downstream.requests]).toEqual([401, []]);
    });

    it('cookies of the API, and orders to the engine, go no further', async () => {
      const orders = ['set-cookie', 'a=b', 'x-accel-redirect', '/_obo/check', 'strict-transport-security', 'max-age=1'];
      world.downstream.answer = answerWith(200, orders, 'whole');
      const { status, body, all } = await send(portOf(), { line: 'GET /open' });
      expect([status, body, all('set-cookie'), all('strict-transport-security')]).toEqual([200, 'whole', [], []]);
    });

    it('a redirect goes to the caller; the engine does not follow it with the token', async () => {
      world.downstream.answer = answerWith(302, ['location', 'https://elsewhere.example/']);
      const { status, header } = await send(portOf(), { line: 'GET /me', token: world.token('adele') });
      expect([status, header('location'), world.downstream.requests.length]).toEqual([
        302,
        'https://elsewhere.example/',
        1,
      ]);
    });
  });

  it('nginx breaks an interim answer of the API off, behind which a challenge would pass', async () => {
    world.downstream.answer = (_req, res) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => {
        res.writeHead(401, { 'www-authenticate': 'Bearer authorization_uri="https://phish.example"' }).end();
      });
    };
    const connection = new RawConnection(world.engines.nginx.port);
    connection.send('GET /open HTTP/1.1', 'Host: a');
    await connection.untilClosed();
    expect(connection.received).toBe('');
  });

  it('2,000 calls of 50 people through nginx: each is its own person’s', async () => {
    world.downstream.answer = (req, res) => {
      res.end(JSON.stringify([req.headers.authorization, req.url]));
    };
    const people = ['adele', 'cody'].flatMap((user) =>
      Array.from({ length: 25 }, (_, index) => world.token(user, { claims: { uti: `${user}-${index}` } })),
    );
    const seen = await Promise.all(
      people.map(async (token, person) => {
        const answers = new Set<string>();
        for (let turn = 0; turn < 40; turn += 1) {
          const { body } = await send(world.engines.nginx.port, { line: `GET /me?person=${person}`, token });
          answers.add(body);
        }
        return [...answers];
      }),
    );
    const expected = people.map((token, person) => [decodeJwt(token)['oid'], `/me?person=${person}`]);
    expect(seen.map((answers) => answers.map((answer) => ownerOf(answer)))).toEqual(expected.map((one) => [one]));
    expect(new Set(seen.flat()).size).toBe(people.length);
  });
});

/** Whose token the API got, and for which target. */
function ownerOf(answer: string): unknown[] {
  const [authorization = '', target] = JSON.parse(answer) as string[];
  return [decodeJwt(authorization.replace('Bearer ', ''))['oid'], target];
}

import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  checkFrontFiles,
  describeWithFronts,
  FRONT_HOST,
  FRONTS,
  startFront,
  writeFrontFiles,
  type Front,
} from '../support/front.ts';
import { answerChallenge, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';

/** Options of a call, with headers by name. */
type AskOptions = Omit<RequestOptions, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

const REPLICAS = [1, 2, 3].map((port) => ({ port, managementPort: port + 10 }));

describeWithFronts('the published configurations', () => {
  it.each(FRONTS)('of %s are valid', async (name) => {
    const files = await writeFrontFiles(name, REPLICAS);
    const { status, said } = checkFrontFiles(name, files);
    await rm(files.folder, { recursive: true });
    expect({ status, said }).toEqual({ status: 0, said: expect.not.stringMatching(/warn|alert|emerg/i) });
  });
});

describeWithFronts('behind a front', () => {
  let world: GatewayWorld;
  const fronts = new Map<string, Front>();
  beforeAll(async () => {
    world = await startGatewayWorld({
      server: { trustedProxies: ['127.0.0.1'], publicUrl: `https://${FRONT_HOST}` },
    });
    const replica = { port: world.port, managementPort: Number(new URL(world.managementUrl).port) };
    for (const name of FRONTS) {
      fronts.set(name, await startFront(name, [replica, replica, replica]));
    }
  });
  afterEach(() => world.downstream.reset());
  afterAll(async () => {
    await Promise.all([...fronts.values()].map((front) => front.close()));
    await world?.close();
  });

  function frontOf(name: string): Front {
    const front = fronts.get(name);
    if (front === undefined) {
      throw new Error(`${name} did not start`);
    }
    return front;
  }

  /** Begins a call through a front. */
  async function ask(name: string, path: string, options: AskOptions = {}, body = ''): Promise<IncomingMessage> {
    const { port, ca } = frontOf(name);
    const all = { host: '127.0.0.1', port, path, ca, servername: FRONT_HOST, agent: false, ...options };
    const asked = request({ ...all, headers: { host: FRONT_HOST, ...options.headers } }).end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  }

  describe.each(FRONTS)('%s', (name) => {
    it('the API is told the caller’s own address, whatever the caller says of itself', async () => {
      const lies = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'gopher' };
      const response = await ask(name, '/open', { headers: { ...lies, forwarded: 'for=6.6.6.6' } });
      response.resume();
      const { rawHeaders } = world.downstream.last;
      const told = ['for', 'host', 'proto'].map((what) => valuesOf(rawHeaders, `x-forwarded-${what}`).join());
      expect([response.statusCode, told, valuesOf(rawHeaders, 'forwarded')]).toEqual([
        200,
        [expect.stringMatching(/^127\.0\.0\.1(?:, 127\.0\.0\.1)?$/), FRONT_HOST, 'https'],
        [],
      ]);
    });

    it('a path goes on byte for byte', async () => {
      const response = await ask(name, '/things/a%2Fb%20c?q=%41&q=+');
      response.resume();
      expect([response.statusCode, world.downstream.last.url]).toEqual([200, '/things/a%2Fb%20c?q=%41&q=+']);
    });

    it('an event arrives before the next one is made', async () => {
      let sendNext: (() => unknown) | undefined;
      world.downstream.answer = (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        sendNext = () => res.end('data: 2\n\n');
      };
      const response = await ask(name, '/open');
      const [first] = (await once(response, 'data')) as [Buffer];
      sendNext?.();
      expect([String(first), await text(response)]).toEqual(['data: 1\n\n', 'data: 2\n\n']);
    });

    it('a caller that leaves ends the call of the API', async () => {
      world.downstream.answer = (_req, res) => res.writeHead(200).write('begun');
      const response = await ask(name, '/open');
      await once(response, 'data');
      response.destroy();
      await until('the API is told', () => world.downstream.last.aborted);
    });

    it('a large upload streams through, and the gateway judges its size', async () => {
      const sent = 'x'.repeat(3_000_000);
      const options = { method: 'PUT', headers: { 'content-type': 'application/octet-stream' } };
      const fits = await ask(name, '/open', options, sent);
      fits.resume();
      const large = await ask(name, '/open', { ...options, headers: { 'content-length': '50000000' } });
      large.destroy();
      expect([fits.statusCode, world.downstream.last.body.length, large.statusCode]).toEqual([200, sent.length, 413]);
      expect(large.headers['content-type']).toBe('application/problem+json');
    });

    it('a long token passes, and so does a long claims challenge', async () => {
      const claims = { access_token: { acrs: { essential: true, values: ['c'.repeat(3_500)] } } };
      const encoded = Buffer.from(JSON.stringify(claims)).toString('base64');
      world.downstream.answer = answerChallenge(`Bearer error="insufficient_claims", claims="${encoded}"`);
      const token = world.token('adele', { claims: { padding: 'p'.repeat(7_000) } });
      const response = await ask(name, '/me', { headers: { authorization: `Bearer ${token}` } });
      response.resume();
      expect([response.statusCode, String(response.headers['www-authenticate']).length > 4_700]).toEqual([401, true]);
    });

    it('a head of 60 kB passes', async () => {
      world.downstream.answer = answerWith(200, ['x-long', 'y'.repeat(60_000)], 'whole');
      const response = await ask(name, '/open', { maxHeaderSize: 100_000 });
      expect([response.headers['x-long']?.length, await text(response)]).toEqual([60_000, 'whole']);
    });

    it('callers may use HTTP/2', async () => {
      const { port, ca } = frontOf(name);
      const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: FRONT_HOST });
      const stream = session.request({ ':path': '/open', ':authority': FRONT_HOST });
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      stream.resume();
      await once(stream, 'end');
      session.close();
      expect(headers[':status']).toBe(200);
    });

    it('a WebSocket passes', async () => {
      world.downstream.upgrade = (_req, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
        socket.write('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello');
      };
      const { port, ca } = frontOf(name);
      const socket = connectTls({ port, host: '127.0.0.1', ca, servername: FRONT_HOST });
      let seen = '';
      socket.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')));
      socket.write(`GET /live/open HTTP/1.1\r\nHost: ${FRONT_HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`);
      socket.write('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
      await until('the tunnel is open', () => seen.endsWith('hello'));
      socket.destroy();
      expect(seen).toMatch(/^HTTP\/1\.1 101 /);
    });
  });
});

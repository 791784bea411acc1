import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'undici';
import { answerChallenge, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';
import { agree, ASK_FOR_WEBSOCKET, echoBytes, echoMessages } from '../support/websocket-echo.ts';

const world = await startGatewayWorld();
const { downstream, wire } = world;
const connections: RawConnection[] = [];
afterAll(() => world.close());
beforeEach(() => {
  downstream.reset();
  downstream.upgrade = echoBytes;
  connections.splice(0).forEach((connection) => connection.close());
});

const token = world.token('adele');
const AUTHORIZED = [...ASK_FOR_WEBSOCKET, `Authorization: Bearer ${token}`];

function open(path: string, lines: readonly string[] = ASK_FOR_WEBSOCKET, early: string | Buffer = ''): RawConnection {
  const connection = new RawConnection(world.port);
  connections.push(connection);
  return connection.send(`GET ${path} HTTP/1.1`, ...lines).write(early);
}

async function ask(path: string, lines: readonly string[] = ASK_FOR_WEBSOCKET) {
  return open(path, lines).response();
}

/** Opens a tunnel and waits until it is one. */
async function tunnel(path: string, lines: readonly string[] = ASK_FOR_WEBSOCKET): Promise<RawConnection> {
  const connection = open(path, lines);
  await connection.untilReceived('\r\n\r\n');
  return connection;
}

describe('a WebSocket', () => {
  it('works for a real client, after the same steps as any request', async () => {
    downstream.upgrade = echoMessages;
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/live?room=7`, {
      headers: { authorization: `Bearer ${token}`, cookie: 'a=b' },
    });
    await once(socket, 'open');
    const answers: unknown[] = [];
    socket.addEventListener('message', ({ data }) => answers.push(data));
    const messages = ['hello', 'ł'.repeat(1_000), 'x'.repeat(300_000)];
    messages.forEach((message) => socket.send(message));
    await until('the messages are back', () => answers.length === messages.length);
    expect(answers).toEqual(messages);
    socket.close(1000);
    const [{ code }] = await once(socket, 'close');
    expect(code).toBe(1000);
    const { url, rawHeaders } = downstream.last;
    expect(url).toBe('/v1.0/live?room=7');
    expect(valuesOf(rawHeaders, 'cookie')).toEqual([]);
    expect(valuesOf(rawHeaders, 'authorization')).toHaveLength(1);
    expect(valuesOf(rawHeaders, 'authorization')).not.toContain(`Bearer ${token}`);
  });

  it('is asked for with what the caller asked, and nothing of its connection', async () => {
    const more = [
      'Sec-WebSocket-Protocol: chat, graphql-ws',
      'Sec-WebSocket-Extensions: permessage-deflate',
      'X-Forwarded-For: 1.2.3.4',
      'TE: trailers',
      'Keep-Alive: 5',
    ];
    await tunnel('/live/open', [...ASK_FOR_WEBSOCKET, ...more]);
    const { method, url, rawHeaders } = downstream.last;
    expect([method, url]).toEqual(['GET', '/base/live/open']);
    expect(
      [
        'host',
        'connection',
        'upgrade',
        'sec-websocket-key',
        'sec-websocket-version',
        'sec-websocket-protocol',
        'sec-websocket-extensions',
        'x-forwarded-for',
        'te',
        'keep-alive',
      ].map((name) => valuesOf(rawHeaders, name)),
    ).toEqual([
      [`127.0.0.1:${downstream.port}`],
      ['Upgrade'],
      ['websocket'],
      ['dGhlIHNhbXBsZSBub25jZQ=='],
      ['13'],
      ['chat, graphql-ws'],
      ['permessage-deflate'],
      ['127.0.0.1'],
      [],
      [],
    ]);
  });

  it('is agreed to with what the downstream agreed to, filtered as any answer', async () => {
    downstream.upgrade = (req, socket) =>
      agree(req, socket, [
        'Content-Length: 5',
        'Sec-WebSocket-Protocol: chat',
        'Set-Cookie: a=b',
        'X-Own: 1',
        'Location: /v1.0/me',
      ]);
    const connection = open('/live/open');
    await connection.untilReceived('\r\n\r\n');
    const [statusLine, ...lines] = connection.received.split('\r\n');
    expect(statusLine).toBe('HTTP/1.1 101 Switching Protocols');
    const head = lines.join('\n').toLowerCase();
    expect(head).toMatch(/^connection: upgrade$/m);
    expect(head).toMatch(/^upgrade: websocket$/m);
    expect(head).toMatch(/^sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk\+xoo=$/m);
    expect(head).toMatch(/^sec-websocket-protocol: chat$/m);
    expect(head).toMatch(/^x-own: 1$/m);
    expect(head).toMatch(/^x-request-id: /m);
    expect(head).not.toMatch(/set-cookie|content-length|transfer-encoding|keep-alive/);
  });

  it('loses no byte that came early, on either side', async () => {
    downstream.upgrade = (req, socket, head) => {
      socket.cork();
      agree(req, socket);
      socket.write(`first, ${head.toString()}`);
      socket.uncork();
      socket.on('data', (chunk) => socket.write(chunk));
    };
    const connection = open('/live/open', ASK_FOR_WEBSOCKET, 'early');
    await connection.untilReceived('first, ');
    await connection.untilReceived('early');
    connection.write(', late');
    await connection.untilReceived(', late');
    expect(connection.received.split('\r\n\r\n')[1]).toBe('first, early, late');
  });

  it('outlives the token that opened it', async () => {
    const connection = await tunnel('/live', AUTHORIZED);
    world.advance(2 * 3_600_000);
    connection.write('still here');
    await connection.untilReceived('still here');
    world.advance(-2 * 3_600_000);
  });

  it('has one log line, once it is over', async () => {
    const connection = await tunnel('/live', [...AUTHORIZED, 'X-Request-Id: tunnel-1']);
    expect(world.log.text).not.toContain('tunnel-1');
    connection.close();
    expect(await world.log.of('tunnel-1')).toMatchObject({ operation: 'GET /live', status: 101, downstream: 'api' });
    const metrics = await (await fetch(`${world.managementUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /gateway_http_requests_total\{operation="GET \/live",method="GET",status="101",via="proxy"\} [1-9]/,
    );
  });
});

describe('a request for a WebSocket is refused', () => {
  it.each([
    ['without a token', '/live', ASK_FOR_WEBSOCKET, 401, 'missing_token'],
    ['with a bad token', '/live', [...ASK_FOR_WEBSOCKET, 'Authorization: Bearer no'], 401, 'invalid_token'],
    ['with two tokens', '/live', [...AUTHORIZED, 'Authorization: Bearer x'], 400, 'invalid_request'],
    ['where there is none', '/open', ASK_FOR_WEBSOCKET, 426, 'invalid_request'],
    ['where nothing is', '/nowhere', ASK_FOR_WEBSOCKET, 404, 'not_found'],
    ['with a body', '/live/open', [...ASK_FOR_WEBSOCKET, 'Content-Length: 5'], 400, 'invalid_request'],
    ['with a chunked body', '/live/open', [...ASK_FOR_WEBSOCKET, 'Transfer-Encoding: chunked'], 400, 'invalid_request'],
    ['when the downstream cannot be reached', '/live/gone', ASK_FOR_WEBSOCKET, 502, 'downstream_unreachable'],
  ])('%s', async (_what, path, lines, status, code) => {
    const connection = open(path, lines, lines.length > ASK_FOR_WEBSOCKET.length ? '' : 'early bytes');
    const response = await connection.response();
    expect([response.status, JSON.parse(response.body).code]).toEqual([status, code]);
    expect(response.header('content-type')).toBe('application/problem+json');
    expect(response.header('x-request-id')).toBeDefined();
    expect(response.all('www-authenticate')).toHaveLength(status === 401 || path === '/live' ? 1 : 0);
    await connection.untilClosed();
    expect(downstream.requests).toHaveLength(0);
  });

  it('by another method', async () => {
    const connection = new RawConnection(world.port);
    connection.send('POST /live/open HTTP/1.1', ...ASK_FOR_WEBSOCKET);
    const response = await connection.response();
    expect([response.status, response.header('allow')]).toEqual([405, 'GET']);
    connection.close();
  });

  it('and the answer says what is spoken there', async () => {
    const there = await ask('/open');
    expect([there.header('upgrade'), there.header('connection')]).toEqual(['HTTP/1.1', 'upgrade, close']);
  });

  it('after the answers to what came before it', async () => {
    let finish: (() => unknown) | undefined;
    downstream.answer = (_req, res) => {
      finish = () => res.end('first');
    };
    const connection = new RawConnection(world.port);
    connection.send('GET /open HTTP/1.1', 'Host: x').send('GET /live HTTP/1.1', ...ASK_FOR_WEBSOCKET);
    await until('the first is under way', () => downstream.requests.length === 1);
    finish?.();
    expect((await connection.response()).body).toBe('first');
    expect((await connection.response()).status).toBe(401);
    connection.close();
  });
});

describe('an ordinary request for a WebSocket operation is 426', () => {
  it.each([
    ['without an upgrade', 'HTTP/1.1', ['Host: x']],
    ['with an upgrade to something else', 'HTTP/1.1', ['Host: x', 'Connection: Upgrade', 'Upgrade: h2c']],
    ['with an upgrade that the connection does not know of', 'HTTP/1.1', ['Host: x', 'Upgrade: websocket']],
    ['over HTTP/1.0', 'HTTP/1.0', ASK_FOR_WEBSOCKET],
  ])('%s', async (_what, version, lines) => {
    const response = await rawRequest(world.port, [`GET /live/open ${version}`, ...lines]);
    expect([response.status, response.header('upgrade'), JSON.parse(response.body).code]).toEqual([
      426,
      'websocket',
      'invalid_request',
    ]);
  });

  it('but only for who may: 401 comes first', async () => {
    expect((await rawRequest(world.port, ['GET /live HTTP/1.1', 'Host: x'])).status).toBe(401);
  });
});

describe('a request that offers another protocol is an ordinary one', () => {
  const OFFER = [
    'Host: x',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA',
  ];

  it('with its body, and then the connection closes', async () => {
    const connection = new RawConnection(world.port);
    connection.send('POST /open HTTP/1.1', ...OFFER, 'Content-Type: text/plain', 'Content-Length: 10').write('12345');
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.write('67890');
    expect((await connection.response()).status).toBe(200);
    expect(downstream.last.body.toString()).toBe('1234567890');
    expect(valuesOf(downstream.last.rawHeaders, 'upgrade')).toEqual([]);
    expect(valuesOf(downstream.last.rawHeaders, 'http2-settings')).toEqual([]);
    await connection.untilClosed();
    const chunked = ['PUT /open HTTP/1.1', ...OFFER, 'Transfer-Encoding: chunked'];
    expect((await rawRequest(world.port, chunked, '3\r\nabc\r\n0\r\n\r\n')).status).toBe(200);
    expect(downstream.last.body.toString()).toBe('abc');
  });

  it('in the order of its connection', async () => {
    let finish: (() => unknown) | undefined;
    downstream.answer = (req, res) => {
      if (req.url === '/open') {
        finish = () => res.end('first');
      } else {
        res.end('second');
      }
    };
    const connection = new RawConnection(world.port);
    connection.send('GET /open HTTP/1.1', 'Host: x').send('GET /things/2 HTTP/1.1', ...OFFER);
    await until('the first is under way', () => finish !== undefined);
    finish?.();
    expect([(await connection.response()).body, (await connection.response()).body]).toEqual(['first', 'second']);
    connection.close();
  });
});

describe('a downstream that agrees to no WebSocket', () => {
  beforeEach(() => {
    downstream.upgrade = undefined;
  });

  it.each([200, 403, 404, 426, 503])('has its answer passed on: %d', async (status) => {
    downstream.answer = answerWith(status, ['content-type', 'text/plain', 'set-cookie', 'a=b'], 'its own words');
    const connection = open('/live/open');
    const response = await connection.response();
    expect([response.status, response.body, response.all('set-cookie')]).toEqual([status, 'its own words', []]);
    await connection.untilClosed();
  });

  it('streams what it says instead', async () => {
    downstream.answer = async (_req, res) => {
      res.write('one');
      await new Promise((resolve) => setTimeout(resolve, 50));
      res.end(Buffer.alloc(500_000, 'x'));
    };
    const response = await ask('/live/open');
    expect([response.status, response.body.length]).toEqual([200, 500_003]);
  });

  it('breaks off: the caller never gets a whole answer', async () => {
    downstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': '100' }).write('part');
      setTimeout(() => res.destroy(), 50);
    };
    const connection = open('/live/open');
    await connection.untilReceived('part');
    await connection.untilClosed();
    expect(connection.received.endsWith('part')).toBe(true);
  });

  it('but wants claims is asked once more, with the token of a second exchange', async () => {
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');
    const challenge = `Bearer error="insufficient_claims", claims="${claims}"`;
    downstream.answer = answerChallenge(challenge);
    downstream.upgrade = (req, socket, head) => {
      if (downstream.requests.length === 1) {
        socket.end(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`);
      } else {
        echoBytes(req, socket, head);
      }
    };
    const lines = [...ASK_FOR_WEBSOCKET, `Authorization: Bearer ${world.token('adele')}`];
    const connection = await tunnel('/live', lines);
    expect(connection.received).toMatch(/^HTTP\/1\.1 101 /);
    connection.write('and works');
    await connection.untilReceived('and works');
    const tokens = downstream.requests.map(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization')[0]);
    expect(new Set(tokens).size).toBe(2);
    downstream.upgrade = undefined;
    const refused = await ask('/live', lines);
    expect(refused.status).toBe(401);
    expect(refused.all('www-authenticate')).toEqual([expect.stringContaining('error="insufficient_claims"')]);
  });

  it.each([
    ['says 101 without an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'downstream_invalid_response'],
    [
      'says 101 for another protocol',
      'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      'downstream_invalid_response',
    ],
    [
      'says 101 for a protocol that is not in Connection',
      'HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n',
      'downstream_invalid_response',
    ],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'downstream_invalid_response'],
    ['has too large a head', `HTTP/1.1 101 S\r\nX: ${'y'.repeat(70000)}\r\n\r\n`, 'downstream_invalid_response'],
    ['hangs up', '', 'downstream_unreachable'],
  ])('and %s: 502', async (_what, bytes, code) => {
    wire.onConnection = (socket) => {
      socket.once('data', () => (bytes === '' ? socket.destroy() : socket.write(bytes, 'latin1')));
    };
    const response = await ask('/live/wire');
    expect([response.status, JSON.parse(response.body).code]).toEqual([502, code]);
  });

  it('and says nothing: 504', async () => {
    downstream.upgrade = () => undefined;
    expect((await ask('/live/hasty')).status).toBe(504);
  });

  it('because nobody asked: a 101 to an ordinary request is 502', async () => {
    for (const more of ['', 'Connection: Upgrade\r\nUpgrade: websocket\r\n']) {
      wire.onConnection = (socket) => {
        socket.once('data', () => socket.end(`HTTP/1.1 101 Switching Protocols\r\n${more}\r\nsmuggled`));
      };
      const response = await rawRequest(world.port, ['GET /wire HTTP/1.1', 'Host: x']);
      expect([response.status, response.body.includes('smuggled')]).toEqual([502, false]);
    }
  });
});

describe('a tunnel ends', () => {
  let theirs: Socket | undefined;
  beforeEach(() => {
    theirs = undefined;
    downstream.upgrade = (req, socket) => {
      theirs = socket;
      agree(req, socket);
      socket.resume();
    };
  });

  function isLeft(): boolean {
    return theirs?.readableEnded === true || theirs?.destroyed === true;
  }

  it('when the downstream ends it, after its last bytes', async () => {
    const connection = await tunnel('/live/open');
    theirs?.end('last words');
    await connection.untilClosed();
    expect(connection.received.endsWith('last words')).toBe(true);
  });

  it('when the caller ends it, after its last bytes', async () => {
    let heard = '';
    const connection = await tunnel('/live/open');
    theirs?.on('data', (chunk) => {
      heard += chunk.toString();
    });
    connection.socket.end('last words');
    await until('the downstream is left', isLeft);
    expect(heard).toBe('last words');
    await connection.untilClosed();
  });

  it('when either side breaks', async () => {
    const first = await tunnel('/live/open');
    first.socket.resetAndDestroy();
    await until('the downstream is left', isLeft);
    const second = await tunnel('/live/open');
    theirs?.resetAndDestroy();
    await second.untilClosed();
  });

  it('when no byte goes either way for timeout.idle', async () => {
    const patient = await startGatewayWorld({ timeout: { idle: '3s' } });
    patient.downstream.upgrade = (req, socket) => {
      theirs = socket;
      agree(req, socket);
      socket.resume();
    };
    const connection = new RawConnection(patient.port);
    connection.send('GET /live/hasty HTTP/1.1', ...ASK_FOR_WEBSOCKET);
    await connection.untilReceived('\r\n\r\n');
    for (let turn = 0; turn < 14; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      (turn % 2 === 0 ? connection.socket : theirs)?.write('.');
    }
    expect(connection.isClosed).toBe(false);
    await connection.untilClosed();
    await until('the downstream is left', isLeft);
    connection.close();
    await patient.close();
  });

  it('and holds no more than both sides read', async () => {
    const connection = await tunnel('/live/open');
    connection.socket.pause();
    const megabyte = Buffer.alloc(1024 * 1024);
    for (let count = 0; count < 64; count += 1) {
      theirs?.write(megabyte);
    }
    let before = -1;
    await until('the downstream has to wait', async () => {
      const still = theirs?.writableLength === before;
      before = theirs?.writableLength ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return still;
    });
    // What is not with the kernels is still with the downstream.
    expect(before).toBeGreaterThan(32 * 1024 * 1024);
  });
});

describe('a gateway that stops', () => {
  it('gives tunnels server.drainTimeout, and then ends them', async () => {
    const stopping = await startGatewayWorld({ server: { drainTimeout: '3s' } });
    stopping.downstream.upgrade = echoBytes;
    const connection = new RawConnection(stopping.port);
    connection.send('GET /live/open HTTP/1.1', ...ASK_FOR_WEBSOCKET);
    await connection.untilReceived('\r\n\r\n');
    const stopped = stopping.gateway.stop();
    connection.write('until the end');
    await connection.untilReceived('until the end');
    await stopped;
    await connection.untilClosed();
    await stopping.close();
  });
});

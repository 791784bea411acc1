import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerWith } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest, RawConnection } from '../support/raw-request.ts';

const world = await startGatewayWorld();
const { downstream } = world;
afterAll(() => world.close());
beforeEach(() => downstream.reset());

function send(method = 'GET'): ReturnType<typeof rawRequest> {
  return rawRequest(world.port, [`${method} /open HTTP/1.1`, 'Host: x']);
}

describe('does an answer pass as it is', () => {
  it.each([
    200, 201, 202, 206, 207, 299, 300, 400, 402, 403, 404, 409, 418, 422, 429, 451, 500, 501, 502, 503, 504, 599,
  ])('status %d with its body', async (status) => {
    downstream.answer = answerWith(status, ['content-type', 'text/plain'], 'its own words');
    const response = await send();
    expect([response.status, response.header('content-type'), response.body]).toEqual([
      status,
      'text/plain',
      'its own words',
    ]);
  });

  it.each([301, 302, 303, 307, 308])('a redirect (%d) is passed on and not followed', async (status) => {
    downstream.answer = answerWith(status, ['location', 'https://elsewhere.example/other']);
    const response = await send();
    expect([response.status, response.header('location'), downstream.requests.length]).toEqual([
      status,
      'https://elsewhere.example/other',
      1,
    ]);
  });

  it.each([
    { what: 'a HEAD', method: 'HEAD', status: 200, headers: ['content-length', '1234', 'etag', '"x"'] },
    { what: 'a 204', method: 'DELETE', status: 204, headers: ['etag', '"x"'] },
    {
      what: 'a 204 with a length, which it loses,',
      method: 'GET',
      status: 204,
      headers: ['content-length', '5', 'etag', '"x"'],
    },
    { what: 'a 304', method: 'GET', status: 304, headers: ['etag', '"x"'] },
    {
      what: 'a 304 that tells how long its 200 would be',
      method: 'GET',
      status: 304,
      headers: ['content-length', '1234', 'etag', '"x"'],
    },
  ])('$what has no body, and the connection goes on', async ({ method, status, headers }) => {
    downstream.answer = answerWith(status, headers);
    const connection = new RawConnection(world.port);
    connection.send(`${method} /open HTTP/1.1`, 'Host: x');
    const response = await connection.response({ hasBody: false });
    expect([response.status, response.header('etag'), response.header('transfer-encoding')]).toEqual([
      status,
      '"x"',
      undefined,
    ]);
    expect(response.header('content-length')).toBe(headers.includes('1234') ? '1234' : undefined);
    downstream.reset();
    connection.send('GET /open HTTP/1.1', 'Host: x');
    expect((await connection.response()).status).toBe(200);
    connection.close();
  });

  it('a compressed body stays compressed', async () => {
    const packed = gzipSync('a long text, a long text, a long text');
    downstream.answer = answerWith(200, ['content-encoding', 'gzip'], packed);
    const response = await rawRequest(world.port, ['GET /open HTTP/1.1', 'Host: x', 'Accept-Encoding: gzip']);
    expect([response.header('content-encoding'), Buffer.from(response.body, 'latin1').equals(packed)]).toEqual([
      'gzip',
      true,
    ]);
  });

  it('an announced length stays announced, an unknown one is chunked', async () => {
    downstream.answer = answerWith(200, ['content-length', '3'], 'abc');
    const known = await send();
    downstream.answer = (_req, res) => {
      res.write('ab');
      setImmediate(() => res.end('c'));
    };
    const unknown = await send();
    expect([known.header('content-length'), known.header('transfer-encoding'), known.body]).toEqual([
      '3',
      undefined,
      'abc',
    ]);
    expect([unknown.header('content-length'), unknown.header('transfer-encoding'), unknown.body]).toEqual([
      undefined,
      'chunked',
      'abc',
    ]);
  });

  it('a client of HTTP/1.0 gets it without chunks', async () => {
    downstream.answer = (_req, res) => {
      res.write('ab');
      setImmediate(() => res.end('c'));
    };
    const response = await rawRequest(world.port, ['GET /open HTTP/1.0']);
    expect([response.status, response.header('transfer-encoding'), response.body]).toEqual([200, undefined, 'abc']);
  });

  it('an empty body stays empty', async () => {
    downstream.answer = answerWith(200, ['content-length', '0']);
    expect((await send()).body).toBe('');
  });
});

describe('does each method pass', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s', async (method) => {
    await send(method);
    expect(downstream.last.method).toBe(method);
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s with a body', async (method) => {
    await rawRequest(world.port, [`${method} /open HTTP/1.1`, 'Host: x', 'Content-Length: 3'], 'abc');
    expect([downstream.last.method, downstream.last.body.toString()]).toEqual([method, 'abc']);
  });
});

import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../support/gateway-poll.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection, rawRequest } from '../support/raw-request.ts';

const LIMIT = 1_024;
const world = await startGatewayWorld({ server: { bodyLimit: '1kb' } });
const { downstream } = world;
afterAll(() => world.close());
beforeEach(() => downstream.reset());

describe('how large may a body be', () => {
  const streamed = { method: 'PUT', path: '/open', type: 'application/octet-stream' };
  const checked = { method: 'POST', path: '/orders', type: 'application/json' };

  it.each([
    { what: 'a streamed body of just the limit', ...streamed, size: LIMIT, status: 200 },
    { what: 'a streamed body over it', ...streamed, size: LIMIT + 1, status: 413 },
    { what: 'a checked body of just the limit', ...checked, size: LIMIT, status: 200 },
    { what: 'a checked body over it', ...checked, size: LIMIT + 1, status: 413 },
  ])('$what: $status', async ({ method, path, type, size, status }) => {
    const body = `{"customer":"${'x'.repeat(size - 15)}"}`;
    const head = [`${method} ${path} HTTP/1.1`, 'Host: x', `Content-Type: ${type}`];
    const bearer = `Authorization: Bearer ${world.token('adele')}`;
    const known = await rawRequest(world.port, [...head, bearer, `Content-Length: ${body.length}`], body);
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const unknown = await rawRequest(world.port, [...head, bearer, 'Transfer-Encoding: chunked'], chunks);
    expect([body.length, known.status, unknown.status]).toEqual([size, status, status]);
  });

  it('an announced length is refused before anything is sent on', async () => {
    const response = await world.call('/open', { method: 'PUT', body: 'x'.repeat(LIMIT + 1) });
    expect([(await readProblem(response)).code, downstream.requests]).toEqual(['payload_too_large', []]);
  });

  it('chunks over it end the downstream’s call, which takes nothing for whole', async () => {
    const ends: string[] = [];
    downstream.answer = (req) => {
      req
        .resume()
        .on('end', () => ends.push('whole'))
        .on('error', () => ends.push('broken'));
    };
    const connection = new RawConnection(world.port);
    connection.send('PUT /open HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked').write('3\r\nabc\r\n');
    await until('the downstream is asked', () => downstream.requests.length === 1);
    connection.write(`800\r\n${'x'.repeat(0x8_00)}\r\n`);
    expect((await connection.response()).status).toBe(413);
    await until('the downstream hears the end', () => ends.length > 0);
    expect(ends).toEqual(['broken']);
    connection.close();
  });

  it('a body over the limit is not asked for', async () => {
    const connection = new RawConnection(world.port);
    connection.send('PUT /open HTTP/1.1', 'Host: x', 'Expect: 100-continue', `Content-Length: ${LIMIT + 1}`);
    const response = await connection.response();
    expect([response.interim, response.status]).toEqual([[], 413]);
    connection.close();
  });
});

/** That many short headers. */
function filler(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `h${index}:`);
}

describe('how large may the head be', () => {
  it.each([
    { what: '1,000 headers', lines: ['Host: x', ...filler(999)], status: 200 },
    { what: '1,001 headers', lines: ['Host: x', ...filler(1_000)], status: 431 },
    {
      what: '2,100 headers of one name',
      lines: ['Host: x', ...Array.from({ length: 2_100 }, () => 'a:')],
      status: 431,
    },
    { what: '15 kB', lines: ['Host: x', `X-Large: ${'x'.repeat(15 * 1_024)}`], status: 200 },
    { what: '17 kB', lines: ['Host: x', `X-Large: ${'x'.repeat(17 * 1_024)}`], status: 431 },
  ])('$what: $status', async ({ lines, status }) => {
    downstream.answer = (_req, res) => res.end();
    const response = await rawRequest(world.port, ['GET /open HTTP/1.1', ...lines]);
    expect(response.status).toBe(status);
  });

  it.each([
    { what: 'too many headers', lines: ['Host: x', ...filler(1_001)] },
    { what: 'too long headers', lines: ['Host: x', `X-Large: ${'x'.repeat(20 * 1_024)}`] },
    { what: 'too long a target', lines: ['Host: x'], target: `/open?${'x'.repeat(20 * 1_024)}` },
  ])('$what: the answer is a problem', async ({ lines, target = '/open' }) => {
    const response = await rawRequest(world.port, [`GET ${target} HTTP/1.1`, ...lines]);
    expect([response.status, response.header('content-type'), JSON.parse(response.body)]).toEqual([
      431,
      'application/problem+json',
      expect.objectContaining({ code: 'headers_too_large', status: 431 }),
    ]);
  });

  it('the last of many headers is not lost: a second Authorization is still seen', async () => {
    const bearer = `Authorization: Bearer ${world.token('adele')}`;
    const response = await rawRequest(world.port, ['GET /me HTTP/1.1', 'Host: x', bearer, ...filler(900), bearer]);
    expect(response.status).toBe(400);
  });
});

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readHead } from '../../src/verify/read-head.ts';
import type { FixedAnswer } from './hostile-gateway.ts';
import { answerRight, json, refusal, smallContract, verifySmall, type SeenRequest } from './small-gateway.ts';

/** A gateway that is right but for the answer to HEAD, or to every request, of one path. */
function changeStatus(change: (answer: FixedAnswer, method: string) => FixedAnswer) {
  return (request: SeenRequest): FixedAnswer => {
    const answer = answerRight(request);
    return request.path === '/status' ? change(answer, request.method) : answer;
  };
}

/** A gateway that answers HEAD of that path otherwise. */
const onHead = (other: Partial<FixedAnswer>) =>
  changeStatus((answer, method) => (method === 'HEAD' ? { ...answer, ...other } : answer));

async function lineOf(answerTo: (request: SeenRequest) => FixedAnswer): Promise<string | undefined> {
  return (await verifySmall(answerTo)).out.find((line) => line.includes('  getStatus  as HEAD'));
}

describe('HEAD', () => {
  it('passes where it is answered as GET is, also without a token', async () => {
    const { out } = await verifySmall(answerRight);
    expect(out.filter((line) => line.includes('as HEAD') && !line.includes('/'))).toEqual([
      'pass  getStatus  as HEAD',
      'pass  getThing  as HEAD',
    ]);
  });

  it.each<[string, (request: SeenRequest) => FixedAnswer, string]>([
    [
      'is not let in',
      onHead(refusal('/status', 405, 'method_not_allowed')),
      'expected 200, as GET is answered, got 405',
    ],
    ['is unknown', onHead({ status: 404 }), 'expected 200, as GET is answered, got 404'],
    [
      'has another type',
      onHead({ headers: { 'content-type': 'text/html' } }),
      'expected the header content-type to be application/json, as for GET, got text/html',
    ],
    ['lacks a header', onHead({ headers: {} }), 'expected the header content-type, which the answer to GET has'],
    [
      'has another length',
      onHead({ headers: { 'content-type': 'application/json', 'content-length': '0' } }),
      'expected the header content-length to be',
    ],
  ])('fails where it %s', async (_case, answerTo, sentence) => {
    const withLength = (request: SeenRequest): FixedAnswer => {
      const answer = answerTo(request);
      const length = { 'content-length': String(answer.body.length) };
      return request.method === 'GET' ? { ...answer, headers: { ...length, ...answer.headers } } : answer;
    };
    expect(await lineOf(withLength)).toMatch(/^FAIL/);
    expect(await lineOf(withLength)).toContain(sentence);
  });

  it('may differ in what differs from one GET to the next', async () => {
    let count = 0;
    const answerTo = changeStatus((answer) => {
      count += 1;
      return { ...answer, headers: { ...answer.headers, 'x-count': String(count) } };
    });
    expect(await lineOf(answerTo)).toBe('pass  getStatus  as HEAD');
  });

  it('is skipped where GET is not the same twice', async () => {
    let count = 0;
    const answerTo = changeStatus((answer, method) => {
      count += method === 'GET' ? 1 : 0;
      return count % 2 === 0 ? answer : { ...answer, status: 202 };
    });
    expect(await lineOf(answerTo)).toMatch(/^skip {2}getStatus {2}as HEAD {2}\(GET is answered 20\d, and then 20\d\)$/);
  });

  it.each([
    ['an API that knows GET only', { status: 501 }, 501],
    ['an API that does not answer', refusal('/status', 504, 'downstream_timeout'), 504],
  ])('is skipped for %s', async (_case, other, status) => {
    expect(await lineOf(onHead(other))).toBe(
      `skip  getStatus  as HEAD  (the API behind the gateway does not answer HEAD (${status}))`,
    );
  });

  it.each([
    ['its own operation', { head: { security: [], responses: { '200': { description: 'Well.' } } } }, {}],
    ['another method behind GET', {}, { 'x-downstream': { service: 'a', method: 'POST' } }],
  ])('is not compared where the contract has %s', async (_case, item, operation) => {
    const contract = structuredClone(smallContract) as unknown as { paths: Record<string, { get?: object }> };
    Object.assign(contract.paths['/status'] ?? {}, item);
    Object.assign(contract.paths['/status']?.get ?? {}, operation);
    const { out } = await verifySmall(answerRight, { contract });
    expect(out.filter((line) => line.includes('getStatus  as HEAD'))).toEqual([]);
  });

  it('is compared without the token where nobody has one', async () => {
    const { out } = await verifySmall((request) =>
      request.method === 'HEAD' && request.path.startsWith('/things') ? json({}) : answerRight(request),
    );
    expect(out).toContain('FAIL  getThing  as HEAD  (expected 401, as GET is answered, got 200)');
  });
});

describe('the bytes of an answer to HEAD', () => {
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));

  /** Asks a server that writes this, and ends the connection unless told otherwise. */
  async function read(write: (socket: Socket) => void): ReturnType<typeof readHead> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.once('data', () => write(socket));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    closers.push(() => {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    });
    const { port } = server.address() as AddressInfo;
    return readHead(new URL(`http://127.0.0.1:${port}`), '/', {}, { connectMs: 60_000, answerMs: 60_000, bodyMs: 20 });
  }

  const HEAD = 'HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\n';
  it.each<[string, (socket: Socket) => void, boolean]>([
    ['ends with the head', (socket) => socket.end(HEAD), false],
    ['ends with the head and leaves the connection open', (socket) => socket.write(HEAD), false],
    [
      'comes after interim answers',
      (socket) => socket.end(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${HEAD}`),
      false,
    ],
    ['has a body', (socket) => socket.end(`${HEAD}hello`), true],
    ['has a body that looks like the end of a head', (socket) => socket.end(`${HEAD}\r\n\r\n`), true],
    ['has a body, and leaves the connection open', (socket) => socket.write(`${HEAD}hello`), true],
  ])('that %s', async (_case, write, hasBody) => {
    const answer = await read(write);
    expect([answer.status, answer.headers.get('x-a'), answer.hasBody]).toEqual([200, ['1', '2'], hasBody]);
  });

  it.each<[string, (socket: Socket) => void, string]>([
    ['never comes', (socket) => socket.end(), 'the connection ended before an answer'],
    ['breaks off', (socket) => socket.end('HTTP/1.1 200 OK\r\nx-a'), 'the connection ended before an answer'],
    ['is no HTTP', (socket) => socket.end('220 mail\r\n\r\n'), 'what came is no answer of HTTP/1.1'],
    ['never ends', (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x'.repeat(300_000)}`), 'too long'],
    ['is interim for ever', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'.repeat(20_000)), 'too long'],
  ])('that %s is an error', async (_case, write, sentence) => {
    await expect(read(write)).rejects.toThrow(sentence);
  });
});

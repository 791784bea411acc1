import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { RawConnection, rawRequest, type RawResponse } from '../support/raw-request.ts';

const world = await startGatewayWorld();
const { wire } = world;
afterAll(() => world.close());

/** Every byte that a value may have between two others (RFC 9110 §5.5), as Latin-1 text. */
const ALLOWED = [0x09, ...range(0x20, 0x7e), ...range(0x80, 0xff)];
const EVERY_BYTE = `a${String.fromCharCode(...ALLOWED)}b`;
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** How an answer can come: what its head says of the body, and the body in its pieces. */
const BODIES = [
  { what: 'short, with a length', framing: 'Content-Length: 5', pieces: ['short'] },
  { what: 'short, chunked', framing: 'Transfer-Encoding: chunked', pieces: ['5\r\nshort\r\n0\r\n\r\n'] },
  { what: 'empty', framing: 'Content-Length: 0', pieces: [''] },
  { what: 'until the connection closes', framing: 'Connection: close', pieces: ['short'] },
  { what: 'long, with a length', framing: 'Content-Length: 20000', pieces: ['x'.repeat(20_000)] },
  { what: 'late, with a length', framing: 'Content-Length: 10', pieces: ['', 'short', 'short'] },
  { what: 'late, chunked', framing: 'Transfer-Encoding: chunked', pieces: ['', '5\r\nshort\r\n', '0\r\n\r\n'] },
] as const;

let scripted: readonly [lines: readonly string[], pieces: readonly string[]] = [[], []];
let received = '';
wire.onConnection = (socket) => {
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    if (text.includes(' HTTP/1.1\r\n')) {
      void send(socket, ...scripted);
    }
  });
};

/** Lets the downstream answer with these lines; each piece goes out in a turn of its own. */
function answer(lines: readonly string[], pieces: readonly string[] = ['']): void {
  scripted = [lines, pieces];
}

async function send(socket: Socket, lines: readonly string[], [first = '', ...more]: readonly string[]): Promise<void> {
  socket.write(`${lines.join('\r\n')}\r\n\r\n${first}`, 'latin1');
  for (const piece of more) {
    await pause();
    socket.write(piece, 'latin1');
  }
  if (lines.includes('Connection: close')) {
    socket.end();
  }
}

/** So many turns that what was written before is a piece of its own. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await setImmediate();
  }
}

function call(...lines: readonly string[]): Promise<RawResponse> {
  return rawRequest(world.port, ['GET /wire HTTP/1.1', 'Host: x', ...lines]);
}

describe('does a header of an answer arrive byte for byte', () => {
  describe.each(BODIES)('when the body is $what', ({ framing, pieces }) => {
    it.each([
      { where: 'before the body is announced', order: (headers: readonly string[]) => [...headers, framing] },
      { where: 'after it', order: (headers: readonly string[]) => [framing, ...headers] },
    ])('and it stands $where', async ({ order }) => {
      const headers = [
        `X-Bytes: ${EVERY_BYTE}`,
        `Content-Disposition: attachment; filename="${utf8('Łódź 文件.pdf')}"; x="grü"`,
      ];
      answer(['HTTP/1.1 200 OK', ...order(headers)], pieces);
      const response = await call();
      expect([response.status, response.all('x-bytes'), response.all('content-disposition')]).toEqual([
        200,
        [EVERY_BYTE],
        [`attachment; filename="${utf8('Łódź 文件.pdf')}"; x="grü"`],
      ]);
      expect(response.body.replaceAll('x', '')).toBe(['', 'short', 'shortshort'][response.body.length / 5] ?? '');
    });
  });

  it('also in an answer to HEAD, a 204, a 304 and a 103', async () => {
    const header = `X-Bytes: ${EVERY_BYTE}`;
    for (const status of ['204 No Content', '304 Not Modified']) {
      answer([`HTTP/1.1 ${status}`, header]);
      expect((await call()).all('x-bytes')).toEqual([EVERY_BYTE]);
    }
    answer(['HTTP/1.1 103 Early Hints', header, '', 'HTTP/1.1 200 OK', 'Content-Length: 5', header]);
    const connection = new RawConnection(world.port).send('HEAD /wire HTTP/1.1', 'Host: x');
    await connection.untilReceived('Content-Length: 5');
    expect(connection.received.split(`\r\n${header}\r\n`)).toHaveLength(3);
    connection.close();
  });

  it('of two file names each, before and after the length', async () => {
    const [one, two] = ['inline; filename="ö"', 'attachment; filename="ł"'].map(utf8);
    answer(['HTTP/1.1 200 OK', 'Content-Length: 0', `Content-Disposition: ${one}`, `Content-Disposition: ${two}`]);
    expect((await call()).all('content-disposition')).toEqual([one, two]);
  });

  it.each(range(0x21, 0x7e).map((byte) => String.fromCharCode(byte)))(
    'with %s in its name or not at all',
    async (byte) => {
      const isToken = /[\w!#$%&'*+.^`|~-]/.test(byte);
      answer(['HTTP/1.1 200 OK', `X${byte}Y: 1`, 'Content-Length: 0']);
      const response = await call();
      expect([response.status, response.all(`x${byte}y`.toLowerCase())]).toEqual(
        isToken ? [200, ['1']] : [byte === ':' ? 200 : 502, []],
      );
    },
  );

  it.each(['Ganz in Ordnung', '', 'OK \t!', utf8('Łódź'), 'O'])('with the reason phrase %j', async (phrase) => {
    answer([`HTTP/1.1 299 ${phrase}`, 'Content-Length: 0']);
    const connection = new RawConnection(world.port).send('GET /wire HTTP/1.1', 'Host: x');
    await connection.untilReceived('\r\n\r\n');
    expect(connection.received.split('\r\n')[0]).toBe(`HTTP/1.1 299 ${phrase}`);
    connection.close();
  });

  it('and a reason phrase that Node does not write becomes the usual one', async () => {
    answer(['HTTP/1.1 404 \u0001', 'Content-Length: 0']);
    expect((await world.call('/wire')).statusText).toBe('Not Found');
  });
});

describe('does a header of a request arrive byte for byte', () => {
  it.each([
    { what: 'no body', method: 'GET', framing: [], body: '' },
    { what: 'a body with a length', method: 'PUT', framing: ['Content-Length: 5'], body: 'short' },
    { what: 'a long body', method: 'PUT', framing: ['Content-Length: 200000'], body: 'x'.repeat(200_000) },
    {
      what: 'a chunked body',
      method: 'PUT',
      framing: ['Transfer-Encoding: chunked'],
      body: '5\r\nshort\r\n0\r\n\r\n',
    },
  ])('with $what', async ({ method, framing, body }) => {
    received = '';
    answer(['HTTP/1.1 200 OK', 'Content-Length: 0', 'Connection: close']);
    const headers = [`X-Bytes: ${EVERY_BYTE}`, `X-!#$%&'*+-.^\`|~: 1`, `Slug: ${utf8('文件.pdf')}`];
    await rawRequest(world.port, [`${method} /wire HTTP/1.1`, 'Host: x', ...framing, ...headers], body);
    const [head = ''] = received.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual(expect.arrayContaining(headers));
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from '@jest/globals';
import { writeHeadWithToken } from '../../src/http/write-token.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

let answer: RequestListener = () => {};
const server = createServer((req, res) => {
  try {
    answer(req, res);
  } catch (error) {
    res.writeHead(500).end((error as NodeJS.ErrnoException).code);
  }
}).listen(0, '127.0.0.1');
await once(server, 'listening');
afterAll(() => {
  server.close();
});

function call(): Promise<RawResponse> {
  return rawRequest((server.address() as AddressInfo).port, ['GET / HTTP/1.1', 'Host: x']);
}

it.each(['Bearer a.b.c', `Bearer ${'x'.repeat(5_000)}`, "Bearer $&$'$`", 'Bearer \u00ff'])(
  'the head of an answer has the token %#, and its other headers',
  async (token) => {
    answer = (_req, res) => {
      writeHeadWithToken(res, 200, token, ['x-request-id', '1', 'content-length', '4']);
      res.end('well', 'latin1');
    };
    const { status, body, all } = await call();
    expect([status, body, all('authorization'), all('x-request-id')]).toEqual([200, 'well', [token], ['1']]);
  },
);

it.each(['\r', '\n', '\0', '\r\nx-smuggled: 1', '\u010d\u010ax-smuggled: 1'])(
  'a token that would end its line with %j is refused',
  async (end) => {
    answer = (_req, res) => writeHeadWithToken(res, 200, `Bearer a${end}`, ['content-length', '0']);
    const { status, body } = await call();
    expect([status, body]).toEqual([500, 'ERR_INVALID_CHAR']);
  },
);

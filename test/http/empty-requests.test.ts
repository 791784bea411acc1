import { afterAll, expect, it } from '@jest/globals';
import { createHttpServer, listen } from '../../src/http/server.ts';
import { RawConnection } from '../support/raw-request.ts';

/** Answers with how many bytes the body of the request has, once it is at its end. */
const { server, connections } = createHttpServer(
  (req, res) => {
    void req.toArray().then((chunks: Buffer[]) => res.end(String(Buffer.concat(chunks).length)));
  },
  () => undefined,
);
const { port } = await listen(server, '127.0.0.1', 0, 'port');
afterAll(() => {
  connections.destroy();
  server.close();
});

it.each([
  ['nothing', [], '', '0'],
  ['a length of nothing', ['Content-Length: 0'], '', '0'],
  ['a body', ['Content-Length: 2'], 'hi', '2'],
  ['a chunked body', ['Transfer-Encoding: chunked'], '2\r\nhi\r\n0\r\n\r\n', '2'],
  ['an empty chunked body', ['Transfer-Encoding: chunked'], '0\r\n\r\n', '0'],
])('a request that announces %s is read to its end, and so is the next', async (_what, lines, body, length) => {
  const connection = new RawConnection(port);
  for (const method of ['POST', 'GET', 'POST']) {
    connection.send(`${method} / HTTP/1.1`, 'Host: x', ...lines).write(body);
    expect((await connection.response()).body).toBe(length);
  }
  connection.close();
});

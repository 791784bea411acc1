import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from '@jest/globals';
import { Pool } from 'undici';
import { keepTimer } from '../../src/forward/kept-timer.ts';
import { findParser } from '../../src/forward/undici-parser.ts';

/** Answers `/slow` when it is told to, and everything else at once. */
const server = createServer((req, res) => {
  if (req.url === '/slow') {
    server.emit('slow', res);
  } else {
    res.end('now');
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
let pool: Pool;
let client: object;
afterEach(() => pool.destroy());
afterAll(() => {
  server.close();
});

/** Makes a pool of one connection; times in milliseconds. */
function connect(times: { headersTimeout: number; bodyTimeout: number; keepAliveTimeout?: number }): void {
  pool = new Pool(origin, { ...times, connections: 1 }).on('connect', (_origin, targets) => {
    targets.forEach(keepTimer);
    client = targets.at(-1) ?? pool;
  });
}

async function get(path: string): Promise<string> {
  const { body } = await pool.request({ path, method: 'GET' });
  return body.text();
}

/** Where undici's timers and Node's keep how long they wait; not documented. */
const LIMIT = '_idleTimeout';

/** The timer that the connection waits with now, and how long; milliseconds. */
function waiting(): { timer: unknown; ms: number | undefined } {
  const { timeout } = findParser(client) as { timeout: { [LIMIT]: number } | null };
  return { timer: timeout, ms: timeout?.[LIMIT] };
}

it('waits for the head, the body and the next request with one timer, each for its own time', async () => {
  connect({ headersTimeout: 30_000, bodyTimeout: 60_000 });
  await get('/');
  const answer = get('/slow');
  const [res] = (await once(server, 'slow')) as [ServerResponse];
  const forHead = waiting();
  res.write('a piece');
  const { timer } = forHead;
  while (waiting().ms === forHead.ms) {
    await turn();
  }
  const forBody = waiting();
  res.end();
  await answer;
  while (waiting().ms === forBody.ms) {
    await turn();
  }
  const forNext = waiting();

  // The server closes after 5 s and says so. undici leaves 2 s to that, and the timer may be half a second late.
  expect([forHead, forBody, forNext].map(({ ms }) => ms)).toEqual([30_000, 60_000, 2_500]);
  expect([forBody, forNext].every((other) => other.timer === timer)).toBe(true);
});

it.each([
  { name: 'no time limit at all', times: { headersTimeout: 0, bodyTimeout: 0 } },
  { name: 'none for the body', times: { headersTimeout: 30_000, bodyTimeout: 0 } },
  {
    name: 'connections that are idle for less than a second',
    times: { headersTimeout: 30_000, bodyTimeout: 60_000, keepAliveTimeout: 900 },
  },
])('goes on with $name', async ({ times }) => {
  connect(times);
  expect([await get('/'), await get('/'), await get('/')]).toEqual(['now', 'now', 'now']);
});

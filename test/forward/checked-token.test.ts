import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { Pool, type Dispatcher } from 'undici';

/** Done with the next request that undici makes, before the code under test hears of it. */
let onCreate: ((request: { readonly headers: string[] }) => void) | undefined;
const hear = (message: unknown): void => {
  const task = onCreate;
  onCreate = undefined;
  task?.((message as { request: { headers: string[] } }).request);
};
subscribe('undici:request:create', hear);
const { dispatchWithToken } = await import('../../src/forward/checked-token.ts');

let received: string[] = [];
const server = createServer((req, res) => {
  received.push(`${req.url} ${req.rawHeaders.slice(4).join(' ')}`);
  res.end();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const pool = new Pool(origin);
const other = new Pool(origin);

beforeEach(() => {
  received = [];
});
afterAll(async () => {
  unsubscribe('undici:request:create', hear);
  await Promise.all([pool.destroy(), other.destroy()]);
  server.close();
});

/** Sends a call to its end with one of the two ways of sending. */
function send(dispatch: (handler: Dispatcher.DispatchHandler) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    dispatch({
      onConnect: () => {},
      onHeaders: () => true,
      onData: () => true,
      onComplete: () => resolve(),
      onError: reject,
    });
  });
}

function call(path: string, ...headers: string[]): Parameters<typeof dispatchWithToken>[1] {
  return { path, method: 'GET', headers };
}

it.each([
  ['with a token', ['accept', '*/*', 'authorization', 'Bearer a.b.c', 'x-last', '1']],
  ['with two, of which the second is its own', ['authorization', 'Basic x', 'authorization', 'Bearer a.b.c']],
  ['with a token in a name of other letters', ['Authorization', 'Bearer a.b.c']],
  ['without a token', ['accept', '*/*']],
  ['with an empty one', ['authorization', '']],
])('a call %s arrives as it is, and again', async (_what, headers) => {
  const asked = call('/a', ...headers);
  await send((handler) => dispatchWithToken(pool, asked, handler));
  await send((handler) => dispatchWithToken(pool, asked, handler));
  expect([received, asked.headers]).toEqual([[`/a ${headers.join(' ')}`, `/a ${headers.join(' ')}`], headers]);
});

it.each([
  ['a call without a token', ['x-kind', 'authorization', 'content-length', '5']],
  ['a call with one', ['authorization', 'Bearer a.b.c', 'x-kind', 'authorization', 'content-length', '5']],
])('of %s, a value that is called like the header of the token is only a value', async (_what, headers) => {
  const asked = { path: '/a', method: 'POST' as const, headers, body: 'hello' };
  await send((handler) => dispatchWithToken(pool, asked, handler));
  expect([received, asked.headers]).toEqual([[`/a ${headers.join(' ')}`], headers]);
});

it.each(['\r', '\n', '\0', '\r\nx-smuggled: 1', '\u010d\u010ax-smuggled: 1'])(
  'a token cannot end its line with %j',
  async (end) => {
    const asked = call('/a', 'authorization', `Bearer a${end}`);
    await expect(send((handler) => dispatchWithToken(pool, asked, handler))).rejects.toThrow(
      'invalid authorization header',
    );
    expect(received).toEqual([]);
  },
);

it('every other header is checked', async () => {
  const asked = call('/a', 'x-other', 'a\r\nb', 'authorization', 'Bearer a.b.c');
  await expect(send((handler) => dispatchWithToken(pool, asked, handler))).rejects.toThrow('invalid x-other header');
  await send((handler) => dispatchWithToken(pool, call('/b', 'x-other', 'a'), handler));
  expect(received).toEqual(['/b x-other a']);
});

it('a request that somebody else makes meanwhile does not get the token', async () => {
  let others: Promise<void> | undefined;
  onCreate = () => {
    others = send((handler) => other.dispatch({ path: '/other', method: 'GET', headers: ['x-mine', 'no'] }, handler));
  };
  await send((handler) => dispatchWithToken(pool, call('/a', 'authorization', 'Bearer a.b.c'), handler));
  await others;
  expect(received.toSorted()).toEqual(['/a authorization Bearer a.b.c', '/other x-mine no']);
});

it('nor does a copy that somebody makes of the request meanwhile take the token from it', async () => {
  let copy: Promise<void> | undefined;
  onCreate = ({ headers }) => {
    copy = send((handler) => other.dispatch({ path: '/copy', method: 'GET', headers: [...headers] }, handler));
  };
  await send((handler) => dispatchWithToken(pool, call('/a', 'authorization', 'Bearer a.b.c'), handler));
  await copy;
  expect(received.toSorted()).toEqual(['/a authorization Bearer a.b.c', '/copy authorization Bearer a.b.c']);
});

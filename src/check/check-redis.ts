import { randomUUID } from 'node:crypto';
import { isLoopback } from '../entra/loopback.ts';
import { parseRedisAddress, type RedisAddress } from '../token-cache/redis-address.ts';
import { RedisConnection } from '../token-cache/redis-connection.ts';
import { LOOKUP_PATIENCE } from '../token-cache/shared-tokens.ts';
import { codeOfTrouble, RedisTimeout, remedyOf } from '../token-cache/trouble.ts';
import { fail, pass, warn, type Row } from './row.ts';

const KEY = 'tokenCache.redis.url';

/** Milliseconds for which the entry of the check would stay, should it not be removed. */
const ENTRY_LIFETIME = 10_000;

/**
 * Whether the second level can be read in time and written, with the gateway's own commands on a key of its own.
 *
 * @param url `undefined` without a second level: nothing is to be said then
 * @param deadline milliseconds
 */
export async function checkRedis(url: string | undefined, deadline: number): Promise<Row[]> {
  if (url === undefined) {
    return [];
  }
  const address = parseRedisAddress(url);
  const connection = new RedisConnection(address);
  try {
    return [...(await tryOut(connection, address.shown, deadline)), ...adviseTransport(address)];
  } finally {
    connection.close();
  }
}

async function tryOut(connection: RedisConnection, shown: string, deadline: number): Promise<Row[]> {
  const key = `obo:check:${randomUUID()}`;
  try {
    await within(deadline, connect(connection));
    await within(deadline, connection.get(key));
    const start = performance.now();
    await within(deadline, connection.get(key));
    const milliseconds = Math.ceil(performance.now() - start);
    return [judgeSpeed(shown, milliseconds), await write(connection, { key, shown, deadline })];
  } catch (error) {
    const code = codeOfTrouble(error);
    const advice = { reason: 'requests go on without the second level', remedy: remedyOf(code), key: KEY };
    return [fail('Redis: readable', `${shown} cannot be read (${code})`, advice)];
  }
}

function connect(connection: RedisConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = { onReady: resolve, onTrouble: reject };
    connection.open(listener).catch(reject);
  });
}

function judgeSpeed(shown: string, milliseconds: number): Row {
  const found = `${shown} answers a look-up in ${milliseconds} ms`;
  if (milliseconds <= LOOKUP_PATIENCE) {
    return pass('Redis: readable', found);
  }
  const reason = `a request waits no longer than ${LOOKUP_PATIENCE} ms for it`;
  return warn('Redis: readable', found, { reason, remedy: 'use a Redis that is nearer or less loaded', key: KEY });
}

async function write(
  connection: RedisConnection,
  { key, shown, deadline }: { readonly key: string; readonly shown: string; readonly deadline: number },
): Promise<Row> {
  const check = 'Redis: writable';
  try {
    await within(deadline, connection.set(key, Buffer.from('check'), ENTRY_LIFETIME));
    await within(deadline, connection.deleteIfEqual(key, 'check'));
    return pass(check, `${shown} takes tokens`);
  } catch (error) {
    const code = codeOfTrouble(error);
    const advice = { reason: 'no token gets into the second level', remedy: remedyOf(code), key: KEY };
    return fail(check, `${shown} refuses writes (${code})`, advice);
  }
}

function adviseTransport({ place, encrypted, shown }: RedisAddress): Row[] {
  const nodes = place.kind === 'server' ? [place.node] : place.kind === 'socket' ? [] : place.nodes;
  if (encrypted || nodes.every(({ host }) => isLoopback(host === '::1' ? '[::1]' : host))) {
    return [];
  }
  const advice = {
    reason: 'the password of Redis travels in clear to another machine; the tokens themselves are sealed',
    remedy: 'use rediss://',
    key: KEY,
  };
  return [warn('Redis: transport', `${shown} without TLS`, advice)];
}

function within<T>(deadline: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new RedisTimeout()), deadline);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

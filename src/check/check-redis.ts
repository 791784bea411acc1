import { randomUUID } from 'node:crypto';
import { isPrivate } from '../config/schema/redis.ts';
import { createCredentialSource } from '../exchange/client-credential.ts';
import { ExchangeRefused } from '../exchange/exchange-refused.ts';
import { createRedisTokenFetch } from '../exchange/redis-token.ts';
import { createEntraLogin, REDIS_SCOPE, type EntraLogin } from '../redis/entra-login.ts';
import type { RedisAddress } from '../redis/redis-address.ts';
import { within } from '../resilience/deadline.ts';
import { RedisConnection } from '../redis/redis-connection.ts';
import { codeOfFailure, RedisTimeout, remedyOf } from '../redis/redis-failure.ts';
import { RedisLogin } from '../redis/redis-login.ts';
import { LOOKUP_TIMEOUT_MS } from '../redis/redis-token-store.ts';
import type { CredentialAccess } from './check-credential.ts';
import { fail, pass, warn, type Row } from './row.ts';

const KEY = 'tokenCache.redis.url';

/** Milliseconds for which the entry of the check would stay, should it not be removed. */
const ENTRY_LIFETIME_MS = 10_000;

/**
 * Checks that the second level can be read in time and written, with the gateway's own commands on a key of its own.
 *
 * @param address `undefined` without a second level: nothing is to be said then
 * @param deadlineMs milliseconds
 * @param access how the gateway proves itself, for a login by Entra
 */
export async function checkRedis(
  address: RedisAddress | undefined,
  deadlineMs: number,
  access: CredentialAccess,
): Promise<Row[]> {
  if (address === undefined) {
    return [];
  }
  const login = await prepareLogin(address, access);
  if ('refused' in login) {
    return [login.refused];
  }
  const connection = new RedisConnection(address, new RedisLogin(address, login));
  try {
    return [...login.rows, ...(await tryOut(connection, address, deadlineMs))];
  } finally {
    connection.close();
  }
}

/** Gets the token for a login by Entra, where the address wants one. */
async function prepareLogin(
  address: RedisAddress,
  { authority, identity, http, now }: CredentialAccess,
): Promise<{ readonly rows: Row[]; readonly entra?: EntraLogin | undefined } | { readonly refused: Row }> {
  if (address.entra === undefined) {
    return { rows: [] };
  }
  const check = 'Redis: Entra login';
  const fetchToken = createRedisTokenFetch({
    authority,
    clientId: identity.clientId,
    credential: createCredentialSource(identity.credential, authority.tokenExchangeAudience),
    http,
    now,
    monotonicMs: () => performance.now(),
  });
  try {
    const token = await fetchToken();
    const entra = createEntraLogin(address, { fetchToken: () => Promise.resolve(token), now, log: undefined });
    await entra?.renew();
    return { rows: [pass(check, `Entra gives a token; the user is ${entra?.login.username}`)], entra };
  } catch (error) {
    if (!(error instanceof ExchangeRefused)) {
      throw error;
    }
    const { refusal } = error;
    return {
      refused: fail(check, `Entra gives no token (${refusal.codes.join(', ') || refusal.error || refusal.status})`, {
        reason: 'requests go on without the second level',
        remedy: `correct what the rows of the credential say; the app must be able to get a token for ${REDIS_SCOPE}`,
        key: 'tokenCache.redis.entra',
      }),
    };
  }
}

async function tryOut(connection: RedisConnection, address: RedisAddress, deadlineMs: number): Promise<Row[]> {
  const { shown } = address;
  const key = `obo:check:${randomUUID()}`;
  try {
    await inTime(deadlineMs, connect(connection));
    await inTime(deadlineMs, connection.get(key));
    const start = performance.now();
    await inTime(deadlineMs, connection.get(key));
    const milliseconds = Math.ceil(performance.now() - start);
    return [judgeSpeed(shown, milliseconds), await write(connection, { key, shown, deadlineMs })];
  } catch (error) {
    const code = codeOfFailure(error);
    const advice = {
      reason: 'requests go on without the second level',
      remedy: remedyOf(code),
      key: keyOf(code, address),
    };
    return [fail('Redis: readable', `${shown} cannot be read (${code})`, advice)];
  }
}

/** The key to look at: that of the password, where Redis refuses it and it stands in a file. */
function keyOf(code: string, { loginFiles, entra }: RedisAddress): string {
  const isRefused = code === 'WRONGPASS' || code === 'NOAUTH';
  if (isRefused && entra !== undefined) {
    return 'tokenCache.redis.entra';
  }
  return isRefused && loginFiles?.passwordFile !== undefined ? 'tokenCache.redis.passwordFile' : KEY;
}

function connect(connection: RedisConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = { onReady: resolve, onFailure: reject };
    connection.open(listener).catch(reject);
  });
}

function judgeSpeed(shown: string, milliseconds: number): Row {
  const found = `${shown} answers a look-up in ${milliseconds} ms`;
  if (milliseconds <= LOOKUP_TIMEOUT_MS) {
    return pass('Redis: readable', found);
  }
  const reason = `a request waits no longer than ${LOOKUP_TIMEOUT_MS} ms for it`;
  return warn('Redis: readable', found, { reason, remedy: 'use a Redis that is nearer or less loaded', key: KEY });
}

async function write(
  connection: RedisConnection,
  { key, shown, deadlineMs }: { readonly key: string; readonly shown: string; readonly deadlineMs: number },
): Promise<Row> {
  const check = 'Redis: writable';
  try {
    await inTime(deadlineMs, connection.set(key, Buffer.from('check'), ENTRY_LIFETIME_MS));
    await inTime(deadlineMs, connection.deleteIfEqual(key, 'check'));
    return pass(check, `${shown} takes tokens`);
  } catch (error) {
    const code = codeOfFailure(error);
    const advice = { reason: 'no token gets into the second level', remedy: remedyOf(code), key: KEY };
    return fail(check, `${shown} refuses writes (${code})`, advice);
  }
}

/** Whether the password travels to the second level encrypted; nothing without a second level. */
export function adviseRedis(address: RedisAddress | undefined): Row[] {
  if (address === undefined) {
    return [];
  }
  const { shown } = address;
  if (isPrivate(address)) {
    return [];
  }
  const advice = {
    reason: 'the password of Redis travels in clear to another machine; the tokens themselves are sealed',
    remedy: 'use rediss://',
    key: KEY,
  };
  return [warn('Redis: transport', `${shown} without TLS`, advice)];
}

function inTime<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  return within(deadlineMs, work, () => new RedisTimeout());
}

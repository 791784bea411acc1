import type { Assertions } from './assertions.ts';
import type { CaseContext } from './case.ts';
import { startDownstream, type BenchDownstream } from './servers/downstream.ts';
import { startEntra, type BenchEntra } from './servers/entra.ts';
import { findImageNode } from './servers/node-runtime.ts';
import type { MeasuredServer, ServerSurroundings } from './servers/server.ts';
import { DOWNSTREAM_TOKEN_PREFIX } from './world.ts';

/** Bytes of the large answer and body. */
export const MEGABYTE = 1024 * 1024;

/** Bytes of the stream that must not be kept in memory. */
export const GIGABYTE = 1024 * MEGABYTE;

/** What stands around the measured servers of a case: users, Entra and the downstreams. */
export interface Surroundings extends ServerSurroundings {
  readonly assertions: Assertions;
  readonly entra: BenchEntra;
  readonly downstream: BenchDownstream;
}

/**
 * Starts what stands around the measured servers, which run on the Node of the image.
 *
 * @param exchangeDelay milliseconds that Entra takes for an exchange; default none
 */
export async function startSurroundings(
  { folder, assertions: provide }: CaseContext,
  users: number,
  exchangeDelay = 0,
): Promise<Surroundings> {
  const assertions = await provide(users);
  const [entra, downstream] = await Promise.all([
    startEntra(assertions.jwksFile, exchangeDelay),
    startDownstream(folder),
  ]);
  const fastOrigin = downstream.fast.origin;
  const streamOrigin = downstream.stream.origin;
  return {
    assertions,
    entra,
    downstream,
    entraOrigin: entra.origin,
    publicKeyFile: assertions.publicKeyFile,
    folder,
    node: findImageNode(),
    routes: [
      { method: 'get', path: '/me', origin: fastOrigin },
      { method: 'get', path: '/4k', origin: fastOrigin },
      { method: 'get', path: '/seen', origin: fastOrigin },
      { method: 'post', path: '/discard', origin: fastOrigin },
      { method: 'get', path: `/bytes/${MEGABYTE}`, origin: streamOrigin },
      { method: 'get', path: `/bytes/${GIGABYTE}`, origin: streamOrigin },
      { method: 'post', path: '/upload', origin: streamOrigin },
      { method: 'get', path: '/events', origin: streamOrigin },
      { method: 'get', path: '/held', origin: streamOrigin },
      { method: 'post', path: '/checked', origin: fastOrigin, isBodyChecked: true },
    ],
  };
}

/**
 * Makes sure that a server does its work before its speed counts: a good token is exchanged, a broken one refused.
 *
 * @throws {Error} when it does not
 */
export async function demandSecurity({ name, origin }: MeasuredServer, { assertions }: Surroundings): Promise<void> {
  const seen = await fetchWith(`${origin}/seen`, assertions.first);
  if (seen.status !== 200 || !seen.text.startsWith(`Bearer ${DOWNSTREAM_TOKEN_PREFIX}`)) {
    throw new Error(`${name} did not exchange the caller's token: ${seen.status} ${seen.text}`);
  }
  // A character in the midst of the signature: the last one can vary without meaning.
  const place = assertions.first.length - 100;
  const other = assertions.first[place] === 'A' ? 'B' : 'A';
  const broken = assertions.first.slice(0, place) + other + assertions.first.slice(place + 1);
  const refused = await fetchWith(`${origin}/seen`, broken);
  if (refused.status !== 401) {
    throw new Error(`${name} answered a broken token with ${refused.status}`);
  }
}

async function fetchWith(url: string, token: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, text: await response.text() };
}

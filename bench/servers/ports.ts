import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { PinnedProcess } from './child-process.ts';

/** Finds TCP ports on loopback that nobody listens on. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/**
 * Waits until a process answers a path with 200.
 *
 * @param pauseBetween milliseconds between two tries
 * @throws {Error} when the process ends, or is not ready after 30 seconds
 */
export async function untilReady(process: PinnedProcess, url: string, pauseBetween = 20): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await answersWell(url))) {
    process.demandAlive();
    if (performance.now() > deadline) {
      throw new Error(`${process.name} did not answer ${url} with 200 within 30 seconds`);
    }
    await pause(pauseBetween);
  }
}

async function answersWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { LOAD_CORE, startPinned, type PinnedProcess } from './child-process.ts';
import { findFreePorts } from './ports.ts';

/** A Redis that keeps everything in memory. */
export interface BenchRedis {
  readonly process: PinnedProcess;
  readonly port: number;
}

/** Starts a Redis on the load's core, and waits until it listens. */
export async function startRedis(): Promise<BenchRedis> {
  const [port = 0] = await findFreePorts(1);
  const process = await startPinned({
    name: 'redis',
    core: LOAD_CORE,
    command: 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  });
  while (!(await listens(port))) {
    process.demandAlive();
    await pause(20);
  }
  return { process, port };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

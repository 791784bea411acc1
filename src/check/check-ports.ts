import { once } from 'node:events';
import { createServer } from 'node:net';
import type { GatewayConfig } from '../config/load-config.ts';
import { fail, pass, warn, type Row } from './row.ts';

/** The key of the port of the listener for engines. */
export const AUTHORIZATION_PORT = 'authorizationService.port';

interface Listener {
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

/** Whether the two ports are two: what gateway.yaml alone tells of them. */
export function advisePorts(server: GatewayConfig['server']): Row[] {
  if (!areSame(server)) {
    return [];
  }
  const advice = {
    reason: 'both listeners want the same port, so the gateway would not start',
    remedy: 'use another port than server.port',
    key: 'server.management.port',
  };
  return [fail('ports', `both are ${server.port}`, advice)];
}

function areSame({ port, management }: GatewayConfig['server']): boolean {
  return port !== 0 && port === management.port;
}

/** Whether `serve` could listen on its ports; nothing when the first two are the same. */
export async function checkPorts({
  server,
  authorizationService,
}: Pick<GatewayConfig, 'server' | 'authorizationService'>): Promise<Row[]> {
  const { host, port, management } = server;
  if (areSame(server)) {
    return [];
  }
  const listeners = [
    { key: 'server.port', host, port },
    { key: 'server.management.port', ...management },
    ...(authorizationService === undefined ? [] : [{ ...authorizationService, key: AUTHORIZATION_PORT }]),
  ];
  return Promise.all(listeners.map((listener) => checkPort(listener)));
}

async function checkPort({ key, host, port }: Listener): Promise<Row> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return pass(key, port === 0 ? `any free port of ${host}` : `${port} of ${host} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EADDRINUSE' ? explainTaken(key, port) : explainImpossible(key, host, port, code);
  } finally {
    server.close();
  }
}

function explainTaken(key: string, port: number): Row {
  return warn(key, `${port} is taken`, {
    reason: 'if it is not by a gateway that runs already, serve ends with exit code 1',
    remedy: 'stop the other program, or use another port',
    key,
  });
}

function explainImpossible(key: string, host: string, port: number, code: string | undefined): Row {
  return fail(key, `${port} of ${host} cannot be had (${code})`, {
    reason: 'serve would end with exit code 1',
    remedy: 'use an address of this machine, and a port that this user may open (1024 or above)',
    key: key.replace(/port$/, 'host'),
  });
}

import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { loadConfig } from '../src/config/load-config.ts';
import { createGateway } from '../src/gateway.ts';
import type { DemoApi } from './demo-apis/demo-api.ts';
import { startGraph } from './demo-apis/graph.ts';
import { startOrders } from './demo-apis/orders.ts';
import { startEmulator, type Emulator } from './emulator/emulator.ts';
import { GATEWAY_CLIENT_SECRET } from './emulator/world.ts';
import { demandFreePorts, findFreePorts, portVariables, type Ports } from './ports.ts';

const CONFIG_FILE = fileURLToPath(new URL('gateway.yaml', import.meta.url));

/** The whole demo world: Entra, two downstream APIs and the gateway before them. */
export interface DemoWorld {
  readonly emulator: Emulator;
  readonly graph: DemoApi;
  readonly orders: DemoApi;
  /** Where clients reach the gateway. */
  readonly gatewayUrl: string;
  /** Where operators reach it. */
  readonly managementUrl: string;
  /** Stops everything, the gateway first. */
  close(): Promise<void>;
}

/** How to start the demo world. */
export interface DemoWorldOptions {
  /** Default: any that are free. */
  readonly ports?: Ports;
  /** Where the gateway logs; default nowhere. */
  readonly logger?: Logger;
}

/**
 * Starts the demo world in this process.
 * @throws {PortError} when a port is taken
 */
export async function startWorld(options: DemoWorldOptions = {}): Promise<DemoWorld> {
  const ports = options.ports ?? (await findFreePorts());
  await demandFreePorts(ports);
  const emulator = await startEmulator({ port: ports.emulator });
  const graph = await startGraph({ port: ports.graph, emulator });
  const orders = await startOrders({ port: ports.orders, emulator });
  const closeServers = async (): Promise<void> => {
    await Promise.all([emulator.close(), graph.close(), orders.close()]);
  };
  try {
    const config = await loadConfig(CONFIG_FILE, { ...portVariables(ports), GATEWAY_CLIENT_SECRET });
    const gateway = createGateway(config, { logger: options.logger ?? pino({ level: 'silent' }) });
    const { url, managementUrl } = await gateway.start();
    const close = async (): Promise<void> => {
      await gateway.stop();
      await closeServers();
    };
    return { emulator, graph, orders, gatewayUrl: url, managementUrl, close };
  } catch (error) {
    await closeServers();
    throw error;
  }
}

import { startGraph } from './demo-apis/graph.ts';
import { startOrders } from './demo-apis/orders.ts';
import { startEmulator } from './emulator/emulator.ts';
import { demoWorld } from './emulator/world.ts';
import { PortError, readPorts } from './ports.ts';

/**
 * Starts what a gateway of the demo world calls, and no gateway: the emulator of Entra and the two demo APIs, on their
 * fixed ports of loopback. In the pod of deploy/kubernetes/overlays/dev they run beside the gateway's own image.
 */
async function main(): Promise<void> {
  const ports = readPorts(process.env);
  const world = demoWorld(`http://localhost:${ports.playground}`, `http://localhost:${ports.gateway}`);
  const emulator = await startEmulator({ port: ports.emulator, world });
  const graph = await startGraph({ port: ports.graph, emulator });
  const orders = await startOrders({ port: ports.orders, emulator });
  const stop = (): void => {
    void Promise.all([orders, graph, emulator].map((server) => server.close()));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  console.log(`ready: Entra (emulator) ${emulator.origin}, Graph ${graph.origin}, Orders ${orders.origin}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof PortError ? error.message : error);
  // At once: servers that did start would keep the process alive.
  process.exit(1);
});

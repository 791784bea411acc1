import { fileURLToPath } from 'node:url';
import { loadConfig } from '../src/config/load-config.ts';
import { createGateway, loadOpenTelemetry, type Gateway } from '../src/gateway.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import type { DemoApi } from './demo-apis/demo-api.ts';
import { startGraph } from './demo-apis/graph.ts';
import { startMailbox } from './demo-apis/mailbox.ts';
import { startOrders } from './demo-apis/orders.ts';
import { startEmulator, type Emulator } from './emulator/emulator.ts';
import { demoWorld, GATEWAY_CLIENT_SECRET } from './emulator/world.ts';
import { startEngine, type Engine } from './engine/engine.ts';
import type { Route } from './engine/routes.ts';
import {
  describeCarriedCall,
  describeDownstreamHop,
  describeEntraHop,
  describeGatewayHop,
  describeQuestion,
} from './playground/describe-hop.ts';
import { describeSettings } from './playground/describe-settings.ts';
import { startPlayground, type Playground } from './playground/server.ts';
import { Trace } from './playground/trace.ts';
import type { RestartableGateway } from './playground/turns.ts';
import { WorldControls } from './playground/world-controls.ts';
import { demandFreePorts, findFreePorts, portVariables, type Ports } from './ports.ts';

const CONFIG_FILE = fileURLToPath(new URL('gateway.yaml', import.meta.url));

/** The whole demo world: Entra, two downstream APIs, the gateway and an engine before them, and the playground. */
export interface DemoWorld {
  readonly emulator: Emulator;
  readonly graph: DemoApi;
  readonly orders: DemoApi;
  /** The MCP server. */
  readonly mailbox: DemoApi;
  readonly gateway: RestartableGateway;
  /** Where clients reach the gateway. */
  readonly gatewayUrl: string;
  /** Where operators reach it. */
  readonly managementUrl: string;
  /** Where engines ask it about calls. */
  readonly authorizationServiceUrl: string;
  /** Carries the same calls as the gateway, and asks the gateway about each. */
  readonly engine: Engine;
  readonly playground: Playground;
  /** Stops everything, the playground and the gateway first. */
  close(): Promise<void>;
}

/** How to start the demo world. */
export interface DemoWorldOptions {
  /** Default: any that are free. */
  readonly ports?: Ports;
  /** Gets the lines of the gateway's log; default nobody. */
  readonly onLogLine?: (line: string) => void;
}

/**
 * Starts the demo world in this process.
 * @throws {PortError} when a port is taken
 */
export async function startWorld({ ports, onLogLine = () => {} }: DemoWorldOptions = {}): Promise<DemoWorld> {
  const chosen = ports ?? (await findFreePorts());
  await demandFreePorts(chosen);
  const stops: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).toReversed()) {
      await stop();
    }
  };
  try {
    return { ...(await startServers(chosen, onLogLine, stops)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts one after the other; `stops` gets how each is stopped. */
async function startServers(
  ports: Ports,
  onLogLine: (line: string) => void,
  stops: (() => Promise<void>)[],
): Promise<Omit<DemoWorld, 'close'>> {
  const started = <T extends { close(): Promise<void> }>(server: T): T => {
    stops.push(() => server.close());
    return server;
  };
  const trace = new Trace();
  const page = `http://localhost:${ports.playground}`;
  const engineUrl = `http://localhost:${ports.engine}`;
  const world = demoWorld(page, `http://localhost:${ports.gateway}`);
  const emulator = started(await startEmulator({ port: ports.emulator, world }));
  const graph = started(await startGraph({ port: ports.graph, emulator }));
  const orders = started(await startOrders({ port: ports.orders, emulator }));
  const mailbox = started(await startMailbox({ port: ports.mailbox, emulator, graphOrigin: graph.origin }));
  emulator.onRequest((request) => trace.add(describeEntraHop(request, world)));
  graph.onRequest((request) => trace.add(describeDownstreamHop('graph', request, engineUrl)));
  orders.onRequest((request) => trace.add(describeDownstreamHop('orders', request, engineUrl)));
  mailbox.onRequest((request) => trace.add(describeDownstreamHop('mailbox', request, engineUrl)));
  const write = (line: string): void => {
    trace.add(describeGatewayHop(line));
    onLogLine(line);
  };
  const env = { ...openTelemetryVariables(), ...portVariables(ports), GATEWAY_CLIENT_SECRET };
  const config = await loadConfig(CONFIG_FILE, env);
  const gateway = await DemoGateway.create(async () => {
    const openTelemetry = await loadOpenTelemetry(config.openTelemetry);
    const output = openTelemetry?.copyLines({ write }) ?? { write };
    return createGateway(config, { logger: createLogger(output), openTelemetry });
  });
  stops.push(() => gateway.stop());
  const { url: gatewayUrl, managementUrl, authorizationServiceUrl = '' } = await gateway.start();
  const engine = started(
    await startEngine({
      port: ports.engine,
      serviceOrigin: authorizationServiceUrl,
      routes: routesTo(graph, orders),
      origins: [page],
    }),
  );
  engine.onCall((call) => trace.add(describeCarriedCall(call)));
  engine.onQuestion((question) => trace.add(describeQuestion(question)));
  const settings = describeSettings({ gatewayUrl: config.server.publicUrl ?? gatewayUrl, engineUrl }, emulator);
  const controls = new WorldControls({ emulator, graph, gateway });
  const playground = started(await startPlayground({ port: ports.playground, settings, trace, controls }));
  return {
    emulator,
    graph,
    orders,
    mailbox,
    gateway,
    gatewayUrl,
    managementUrl,
    authorizationServiceUrl,
    engine,
    playground,
  };
}

/** The places of the contract, as an engine has to know them: openapi.yaml says it to the gateway. */
function routesTo(graph: DemoApi, orders: DemoApi): Route[] {
  const ofOrders = ['/status', '/orders', '/catalogue', '/payouts'];
  return [
    { path: '/me', origin: graph.origin, prefix: '/v1.0' },
    ...ofOrders.map((path) => ({ path, origin: orders.origin })),
  ];
}

/** What the environment says of OpenTelemetry: the gateway of `npm start` sends its traces where it is told to. */
function openTelemetryVariables(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_')));
}

/** The gateway of a world; a new one takes its place when it is restarted. */
class DemoGateway implements RestartableGateway {
  readonly #create: () => Promise<Gateway>;
  #running: Gateway;
  #restarting: Promise<unknown> = Promise.resolve();

  private constructor(create: () => Promise<Gateway>, first: Gateway) {
    this.#create = create;
    this.#running = first;
  }

  static async create(create: () => Promise<Gateway>): Promise<DemoGateway> {
    return new DemoGateway(create, await create());
  }

  start(): ReturnType<Gateway['start']> {
    return this.#running.start();
  }

  async restart(): Promise<void> {
    const restarted = this.#replace();
    this.#restarting = restarted.catch(() => undefined);
    await restarted;
  }

  async stop(): Promise<void> {
    await this.#restarting;
    await this.#running.stop();
  }

  async #replace(): Promise<void> {
    await this.#running.stop();
    this.#running = await this.#create();
    await this.#running.start();
  }
}

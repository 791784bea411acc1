import { createServer, type AddressInfo } from 'node:net';

/** The TCP ports of the demo world. */
export interface Ports {
  readonly gateway: number;
  readonly management: number;
  readonly emulator: number;
  readonly graph: number;
  readonly orders: number;
  readonly mailbox: number;
  readonly playground: number;
  readonly authorizationService: number;
  readonly engine: number;
}

/** The environment variable that moves each port, and where it is otherwise. */
const DEFAULTS = {
  gateway: { variable: 'GATEWAY_PORT', port: 8080 },
  management: { variable: 'MANAGEMENT_PORT', port: 9090 },
  emulator: { variable: 'EMULATOR_PORT', port: 8081 },
  graph: { variable: 'GRAPH_PORT', port: 8082 },
  orders: { variable: 'ORDERS_PORT', port: 8083 },
  playground: { variable: 'PLAYGROUND_PORT', port: 3000 },
  authorizationService: { variable: 'AUTHORIZATION_SERVICE_PORT', port: 8084 },
  engine: { variable: 'ENGINE_PORT', port: 8085 },
  mailbox: { variable: 'MAILBOX_PORT', port: 8086 },
} as const satisfies Record<keyof Ports, { variable: string; port: number }>;

const NAMES = Object.keys(DEFAULTS) as (keyof Ports)[];

/**
 * Systems choose ports from 32,768 on. Processes that run side by side may be given a share each, by a number below ten;
 * others go by the last digits of their id.
 */
const PORTS_OF_A_PROCESS = 100;
const SHARE = Number(process.env['PORT_SHARE'] ?? 10 + (process.pid % 90)) % 100;
const FIRST_OF_THIS_PROCESS = 10_000 + SHARE * PORTS_OF_A_PROCESS;
let given = 0;

/** A port that cannot be had; the message says which variable moves it. */
export class PortError extends Error {}

/**
 * The ports that the environment asks for, 8080 and so on by default.
 * @throws {PortError} when a variable is not a port
 */
export function readPorts(env: Readonly<Record<string, string | undefined>>): Ports {
  return mapPorts((name) => {
    const { variable, port } = DEFAULTS[name];
    const text = env[variable] ?? String(port);
    const number = Number(text);
    if (Number.isInteger(number) && number > 0 && number < 65_536) {
      return number;
    }
    throw new PortError(`${variable} is ${text}; a port is a number from 1 to 65535.`);
  });
}

/** The variables that hold these ports. */
export function portVariables(ports: Ports): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [DEFAULTS[name].variable, String(ports[name])]));
}

/**
 * Lets pass only when every port can be listened on.
 * @throws {PortError} naming each that is taken
 */
export async function demandFreePorts(ports: Ports): Promise<void> {
  const taken = await Promise.all(NAMES.map(async (name) => ((await isFree(ports[name])) ? [] : [name])));
  const faults = taken
    .flat()
    .map((name) => `Port ${ports[name]} (${name}) is taken; ${DEFAULTS[name].variable} moves it.`);
  if (faults.length > 0) {
    throw new PortError(faults.join('\n'));
  }
}

/**
 * Ports of loopback that are free and stay so until somebody listens on them, or listens again. One that the system
 * chooses (port 0) may go to another program, or to a connection, as soon as it is given back.
 */
export async function findFreePorts(): Promise<Ports> {
  const found = await Promise.all(NAMES.map(() => findFreePort()));
  return mapPorts((name) => found[NAMES.indexOf(name)] ?? 0);
}

/** One such port; 10,000 above it is another, which is where the bus of a Redis cluster's node wants to be. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = FIRST_OF_THIS_PROCESS + (given % PORTS_OF_A_PROCESS);
    given += 1;
    if ((await isFree(port)) && (await isFree(port + 10_000))) {
      return port;
    }
  }
}

function mapPorts(portOf: (name: keyof Ports) => number): Ports {
  return Object.fromEntries(NAMES.map((name) => [name, portOf(name)])) as unknown as Ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port);
  } catch {
    return false;
  }
  await close(server);
  return true;
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

import { startGatewayWorld, type GatewayWorld, type GatewayWorldOptions } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';
import { ENGINES, startEngine, type Engine, type EngineName } from './engine.ts';

/** A gateway with its authorization service, and every engine in front of the same API. */
export interface EngineWorld extends GatewayWorld {
  readonly engines: Readonly<Record<EngineName, Engine>>;
}

/** Starts a world and all engines. */
export async function startEngineWorld(options: GatewayWorldOptions = {}): Promise<EngineWorld> {
  const world = await startGatewayWorld({ authorizationService: { port: 0 }, ...options });
  const addresses = { service: portOf(world.authorizationServiceUrl), api: world.downstream.port, gateway: world.port };
  const started = await Promise.all(
    ENGINES.map(async (name): Promise<[EngineName, Engine]> => [name, await startEngine(name, addresses)]),
  );
  const engines = Object.fromEntries(started) as Record<EngineName, Engine>;
  return {
    ...world,
    engines,
    async close() {
      await Promise.all(Object.values(engines).map((engine) => engine.close()));
      await world.close();
    },
  };
}

/** The port of an address. */
export function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** A request as a test writes it. */
export interface Call {
  /** Method and target. */
  readonly line: string;
  readonly token?: string | undefined;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

/** Makes a call to the gateway or to an engine, on a connection of its own. */
export function send(port: number, { line, token, headers = [], body = '' }: Call): Promise<RawResponse> {
  const lines = [`${line} HTTP/1.1`, 'Host: api.contoso.com', ...headers];
  if (token !== undefined) {
    lines.push(`Authorization: Bearer ${token}`);
  }
  if (body.length > 0) {
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  return rawRequest(port, lines, body);
}

/** Headers of an answer that belong to the server which sends it, not to the refusal. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  'connection',
  'date',
  'keep-alive',
  'server',
  'transfer-encoding',
  'via',
]);

/** What of a refusal is the same whoever passes it on. The seconds of `Retry-After` go down while others ask. */
export function essenceOf({ status, headers, body }: RawResponse): object {
  const passed = headers
    .filter(([name]) => !OF_THE_SERVER.has(name))
    .map(([name, value]) => [name, name === 'retry-after' ? Math.ceil(Number(value) / 10) : value] as const);
  return { status, headers: passed.map(String).toSorted(), body };
}

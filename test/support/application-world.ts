import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express5, { type Express } from 'express';
import express4 from 'express4';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { createObo, type Obo, type OboOptions } from '../../src/index.ts';
import { startDownstream, type ScriptedDownstream } from './gateway-downstream.ts';
import { until } from './gateway-poll.ts';

/** What differs from the usual configuration; keys are merged into its parts. */
export interface ApplicationWorldOptions {
  readonly contract?: unknown;
  readonly server?: object;
  readonly identity?: object;
  /** How clients of MCP servers get tokens; default from Entra. */
  readonly mcp?: object;
  readonly tokenCache?: object;
  readonly log?: object;
  /** What the downstreams `graph` and `orders` have besides. */
  readonly graph?: object;
  readonly orders?: object;
  readonly downstreams?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the lines are kept. */
  readonly logger?: OboOptions['logger'];
  /** The Entra of another world, which stays its own; default a new one. */
  readonly emulator?: Emulator;
}

/** One line that the library logged. */
export interface LoggedLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string | undefined;
}

/** An instance of the library between an emulated Entra and two downstreams that do as they are told. */
export interface ApplicationWorld {
  readonly emulator: Emulator;
  readonly graph: ScriptedDownstream;
  /** Below the base path `/base`. */
  readonly orders: ScriptedDownstream;
  readonly obo: Obo;
  readonly config: object;
  readonly lines: readonly LoggedLine[];
  /** An access token of a person. */
  token(user: string, more?: Omit<Parameters<Emulator['issueAccessToken']>[0], 'user'>): string;
  /** Exchanges on behalf of somebody so far. */
  countExchanges(): number;
  /** Listens for an application; the server ends with the world. */
  listen(listener: RequestListener): Promise<string>;
  close(): Promise<void>;
}

/** The two versions of Express that applications use. */
export const EXPRESS = {
  'Express 5': () => express5(),
  // Its types are those of version 5 here, so that one application can be written for both.
  'Express 4': () => express4() as unknown as Express,
} as const;

/** Starts a world of its own for a test file, and waits until callers can be let in. */
export async function startApplicationWorld(options: ApplicationWorldOptions = {}): Promise<ApplicationWorld> {
  const emulator = options.emulator ?? (await startEmulator());
  const [graph, orders] = await Promise.all([startDownstream(), startDownstream()]);
  const lines: LoggedLine[] = [];
  const servers: Server[] = [];
  const config = describe(emulator.origin, { graph: graph.port, orders: orders.port }, options);
  const obo = await createObo({
    config,
    env: { SECRET: GATEWAY_CLIENT_SECRET, ...options.env },
    logger: options.logger ?? keepLines(lines),
  });
  await until('the instance is ready', () => obo.health().ready);
  return {
    emulator,
    graph,
    orders,
    obo,
    config,
    lines,
    token: (user, more) => emulator.issueAccessToken({ user, ...more }),
    countExchanges: () => emulator.exchanges.length,
    async listen(listener) {
      const server = createServer(listener);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    async close() {
      await obo.close();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      await Promise.all([graph.close(), orders.close()]);
      if (options.emulator === undefined) {
        await emulator.close();
      }
    },
  };
}

/** A logger that keeps its lines. */
export function keepLines(lines: LoggedLine[]): NonNullable<OboOptions['logger']> {
  return Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [
      level,
      (fields: object, message?: string) => {
        lines.push({ level, fields: fields as LoggedLine['fields'], message });
      },
    ]),
  );
}

function describe(
  authority: string,
  ports: { readonly graph: number; readonly orders: number },
  { contract, server, identity, mcp, tokenCache, log, graph, orders, downstreams }: ApplicationWorldOptions,
): object {
  return {
    ...(contract !== undefined && { contract }),
    ...(server !== undefined && { server }),
    identity: {
      authority,
      tenant: HOME_TENANT_ID,
      clientId: GATEWAY_CLIENT_ID,
      consentRedirectUri: `${authority}/consented`,
      credential: { secret: '${SECRET}' },
      ...identity,
    },
    ...(mcp !== undefined && { mcp }),
    ...(tokenCache !== undefined && { tokenCache }),
    ...(log !== undefined && { log }),
    downstreams: {
      graph: {
        baseUrl: `http://127.0.0.1:${ports.graph}`,
        scopes: ['https://graph.microsoft.com/User.Read'],
        ...graph,
      },
      orders: {
        baseUrl: `http://127.0.0.1:${ports.orders}/base`,
        scopes: ['api://orders/user_impersonation'],
        ...orders,
      },
      mail: { baseUrl: `http://127.0.0.1:${ports.graph}/mail`, scopes: ['https://graph.microsoft.com/Mail.Read'] },
      ...downstreams,
    },
  };
}

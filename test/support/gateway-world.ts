import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch as fetchByUndici } from 'undici';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { findFreePort } from '../../dev/ports.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createGateway, loadOpenTelemetry, type Gateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { gatewayContract } from './gateway-contract.ts';
import { startDownstream, startWire, type ScriptedDownstream, type WireDownstream } from './gateway-downstream.ts';
import { until } from './gateway-poll.ts';

/** What differs from the usual gateway.yaml; keys are merged into its parts. */
export interface GatewayWorldOptions {
  /** A certificate of localhost, with which the gateway speaks TLS; it is its own authority. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly server?: object;
  readonly identity?: object;
  readonly tokenCache?: object;
  readonly log?: object;
  /** Default none. */
  readonly nativeAuth?: object;
  /** How clients of MCP servers get tokens; default from Entra. */
  readonly mcp?: object;
  /** What engines ask; default none. */
  readonly authorizationService?: object;
  /** What gateway.yaml lists as the contract, with a document in the place of each file; default the usual contract. */
  readonly contract?: readonly Readonly<Record<string, unknown>>[];
  /** What the environment has besides the secret of the gateway, such as the variables of OpenTelemetry. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds that a request gives Redis. */
  readonly redisLookupTimeoutMs?: number;
  /** The timeouts of the downstream `hasty`. */
  readonly timeout?: object;
  /** The scopes of the downstream `api`; default that of Graph for one's own profile. */
  readonly scopes?: readonly string[];
  /** What the downstreams `api` and `orders` have besides. */
  readonly api?: object;
  /** Downstreams besides the usual ones. */
  readonly downstreams?: object;
  /** The client ids of the agent identities of the usual downstreams, by the name of the downstream; default none. */
  readonly agents?: Readonly<Record<string, string>>;
  /** The Entra of another world, which stays its own; default a new one. */
  readonly emulator?: Emulator;
  /** What Entra is like before the gateway starts; with it nobody waits until the gateway is ready. */
  readonly beforeStart?: (emulator: Emulator) => void;
}

/** Where the gateway's log lines go. */
export interface MemoryLog {
  readonly lines: Record<string, unknown>[];
  /** Every line as it was written. */
  readonly text: string;
  /** The line of a request, as soon as it is there. */
  of(requestId: string | null): Promise<Record<string, unknown>>;
}

/** A gateway between an emulated Entra and downstreams that do as they are told. */
export interface GatewayWorld {
  readonly emulator: Emulator;
  /** Behind the services `api`, `orders` (under the base path `/base`) and `hasty` (with short timeouts). */
  readonly downstream: ScriptedDownstream;
  /** Behind the service `wire`. */
  readonly wire: WireDownstream;
  /** The port of the service `gone`, on which nobody listens. */
  readonly gonePort: number;
  readonly gateway: Gateway;
  readonly url: string;
  readonly port: number;
  /** The authority of its certificate, when it speaks TLS. */
  readonly ca: string | undefined;
  readonly managementUrl: string;
  /** Where engines ask about calls; empty where the world has none. */
  readonly authorizationServiceUrl: string;
  readonly log: MemoryLog;
  /**
   * Stops the gateway's clocks: from now on time passes for it only by {@link GatewayWorld.advance}. For what has to hold up
   * to a moment, which a busy machine might miss.
   */
  stopClocks(): void;
  /** Lets time pass for the gateway. */
  advance(milliseconds: number): void;
  /** Sets the gateway's time of day: forward, or back when negative. */
  setClockBy(milliseconds: number): void;
  /** Calls the gateway, with a token if there is one. */
  call(path: string, init?: RequestInit & { readonly token?: string }): Promise<Response>;
  /** An access token of a person. */
  token(user: string, more?: Omit<Parameters<Emulator['issueAccessToken']>[0], 'user'>): string;
  close(): Promise<void>;
}

/** Starts a world of its own for a test file. */
export async function startGatewayWorld(options: GatewayWorldOptions = {}): Promise<GatewayWorld> {
  const emulator = options.emulator ?? (await startEmulator());
  const [downstream, wire, closedPort] = await Promise.all([startDownstream(), startWire(), findFreePort()]);
  options.beforeStart?.(emulator);
  const folder = await mkdtemp(join(tmpdir(), 'obo-gateway-'));
  const file = join(folder, 'gateway.yaml');
  const ports = { downstream: downstream.port, wire: wire.port, closed: closedPort };
  const documents = options.contract?.map(({ document }) => document) ?? [gatewayContract];
  await Promise.all(
    documents.map((document, index) => writeFile(join(folder, `openapi-${index}.yaml`), JSON.stringify(document))),
  );
  await writeFile(file, JSON.stringify(describeDeployment(emulator.origin, ports, options)));
  const { certificate } = options;
  if (certificate !== undefined) {
    await writeFile(join(folder, 'server.pem'), certificate.cert);
    await writeFile(join(folder, 'server.key'), certificate.key);
  }
  const agent = certificate && new Agent({ connect: { ca: certificate.cert, servername: 'localhost' } });
  const fetchTrusting = agent === undefined ? fetch : fetchThrough(agent);
  const log = new RecordedLog();
  let stopped: { readonly now: number; readonly monotonicMs: number } | undefined;
  let ahead = 0;
  let setBy = 0;
  const config = await loadConfig(file, { SECRET: GATEWAY_CLIENT_SECRET, ...options.env });
  const openTelemetry = await loadOpenTelemetry(config.openTelemetry);
  const gateway = createGateway(config, {
    logger: createLogger(openTelemetry?.copyLines(log) ?? log, config.log.level),
    openTelemetry,
    now: () => (stopped?.now ?? Date.now()) + ahead + setBy,
    monotonicMs: () => (stopped?.monotonicMs ?? performance.now()) + ahead,
    redisLookupTimeoutMs: options.redisLookupTimeoutMs,
  });
  const { url, managementUrl, authorizationServiceUrl = '' } = await gateway.start();
  if (options.beforeStart === undefined) {
    await until('the gateway is ready', async () => (await fetch(`${managementUrl}/readyz`)).ok);
  }
  return {
    emulator,
    downstream,
    wire,
    gonePort: closedPort,
    gateway,
    url,
    port: Number(new URL(url).port),
    ca: certificate?.cert,
    managementUrl,
    authorizationServiceUrl,
    log,
    stopClocks() {
      // Whole milliseconds, so that what is added makes no fraction.
      stopped ??= { now: Date.now(), monotonicMs: Math.ceil(performance.now()) };
    },
    advance(milliseconds) {
      ahead += milliseconds;
    },
    setClockBy(milliseconds) {
      setBy += milliseconds;
    },
    call(path, { token, headers, ...init } = {}) {
      const all = new Headers(headers);
      if (token !== undefined) {
        all.set('authorization', `Bearer ${token}`);
      }
      return fetchTrusting(`${url}${path}`, { redirect: 'manual', ...init, headers: all });
    },
    token: (user, more) => emulator.issueAccessToken({ user, ...more }),
    async close() {
      await gateway.stop();
      await agent?.close();
      await Promise.all([downstream.close(), wire.close(), rm(folder, { recursive: true })]);
      if (options.emulator === undefined) {
        await emulator.close();
      }
    },
  };
}

/** Makes a `fetch` that uses other connections than Node's own, which does not take an agent of another version. */
function fetchThrough(dispatcher: Agent): typeof fetch {
  const fetchSecurely = (url: string, init: object) => fetchByUndici(url, { ...init, dispatcher });
  return fetchSecurely as unknown as typeof fetch;
}

function describeDeployment(
  authority: string,
  ports: { readonly downstream: number; readonly wire: number; readonly closed: number },
  {
    server,
    certificate,
    identity,
    tokenCache = {},
    log = {},
    nativeAuth,
    mcp,
    authorizationService,
    timeout,
    scopes,
    api,
    downstreams,
    agents = {},
    contract,
  }: GatewayWorldOptions,
): object {
  const graph = ['https://graph.microsoft.com/User.Read'];
  const base = `http://127.0.0.1:${ports.downstream}`;
  return {
    contract:
      contract?.map((source, index) => ({ ...source, document: `./openapi-${index}.yaml` })) ?? './openapi-0.yaml',
    server: {
      host: '127.0.0.1',
      port: 0,
      drainDelay: '0s',
      drainTimeout: '2s',
      management: { port: 0 },
      ...(certificate && { tls: { cert: './server.pem', key: './server.key' } }),
      ...server,
    },
    identity: {
      authority,
      tenant: HOME_TENANT_ID,
      clientId: GATEWAY_CLIENT_ID,
      consentRedirectUri: `${authority}/consented`,
      credential: { secret: '${SECRET}' },
      ...identity,
    },
    tokenCache,
    log,
    nativeAuth,
    mcp,
    authorizationService,
    downstreams: {
      api: { baseUrl: base, scopes: scopes ?? graph, agent: agents['api'], ...api },
      orders: { baseUrl: `${base}/base/`, scopes: ['api://orders/.default'], agent: agents['orders'], ...api },
      hasty: {
        baseUrl: base,
        scopes: graph,
        agent: agents['hasty'],
        timeout: { response: '500ms', idle: '1s', ...timeout },
      },
      wire: { baseUrl: `http://127.0.0.1:${ports.wire}`, scopes: graph },
      gone: { baseUrl: `http://127.0.0.1:${ports.closed}`, scopes: graph },
      ...downstreams,
    },
  };
}

/** Keeps what pino writes. */
class RecordedLog implements MemoryLog {
  readonly lines: Record<string, unknown>[] = [];
  #text = '';

  get text(): string {
    return this.#text;
  }

  write(line: string): void {
    this.#text += line;
    this.lines.push(JSON.parse(line) as Record<string, unknown>);
  }

  async of(requestId: string | null): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined => this.lines.find((line) => line['requestId'] === requestId);
    await until(`the log has the request ${requestId}`, () => find() !== undefined);
    return find() ?? {};
  }
}

/** A problem document, with the members that tests look at. */
export interface ProblemDocument {
  readonly type: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly requestId: string;
  readonly claims?: string;
  readonly suberror?: string;
  readonly scopes?: readonly string[];
  readonly consentUri?: string;
  readonly errors?: readonly { readonly in?: string; readonly name?: string; readonly pointer?: string }[];
}

/** Reads an answer that has to be a problem document. */
export async function readProblem(response: Response): Promise<ProblemDocument> {
  const type = response.headers.get('content-type');
  if (type !== 'application/problem+json') {
    throw new Error(`${response.status} ${type} is no problem document`);
  }
  return (await response.json()) as ProblemDocument;
}

/** The parameters of the one challenge of an answer, in their order. */
export function readChallenge(response: Response): [string, string][] {
  const header = response.headers.get('www-authenticate') ?? '';
  return [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
}

/** The claims request of an answer's challenge as JSON text, `undefined` when there is none. */
export function readClaims(response: Response): string | undefined {
  const encoded = new Map(readChallenge(response)).get('claims');
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { findFreePort } from '../../dev/ports.ts';
import { untilListening, untilReady, type Program, type Run } from '../support/command-program.ts';

/** Where a replica finds what it needs. */
export interface Surroundings {
  readonly program: Program;
  /** The folder of its files; it has the contract. */
  readonly folder: string;
  readonly authority: string;
  readonly people: string;
  readonly records: string;
}

/** Where the tokens of one replica's callers came from. */
export interface TokenCounts {
  /** Look-ups in Redis that found a token. */
  readonly hits: number;
  readonly misses: number;
  /** Look-ups that got no answer in time, or were not made because earlier ones got none. */
  readonly failures: number;
  readonly exchanges: number;
}

/** Longer than HAProxy takes to notice: twice a second (`inter`, `fall`). */
const DRAIN_DELAY = '3s';

/** One gateway process that keeps its ports when it is started anew. */
export class Replica {
  readonly name: string;
  readonly port: number;
  readonly managementPort: number;
  readonly #surroundings: Surroundings;
  #run: Run | undefined;

  private constructor(name: string, ports: readonly [number, number], surroundings: Surroundings) {
    this.name = name;
    [this.port, this.managementPort] = ports;
    this.#surroundings = surroundings;
  }

  /** Makes one that is not started yet. */
  static async create(name: string, surroundings: Surroundings): Promise<Replica> {
    return new Replica(name, [await findFreePort(), await findFreePort()], surroundings);
  }

  /** Its log since it was started. */
  get log(): string {
    return this.#run === undefined ? '' : this.#run.out() + this.#run.err();
  }

  /** Starts it and waits until it is ready. */
  async start(redisUrl: string): Promise<void> {
    const { program, folder } = this.#surroundings;
    const file = join(folder, `${this.name}.yaml`);
    await writeFile(file, JSON.stringify(this.#describe()));
    this.#run = program.start(['serve', '--config', file], { GATEWAY_CLIENT_SECRET, REDIS_URL: redisUrl });
    const { managementUrl } = await untilListening(this.#run);
    await untilReady(managementUrl);
  }

  /** Stops it as a platform does; its exit code. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    this.#run?.process.kill('SIGTERM');
    return this.#run?.ended;
  }

  /** Ends it as a crash does, and waits until the system knows. */
  async kill(): Promise<void> {
    this.#run?.process.kill('SIGKILL');
    await this.#run?.ended;
  }

  /** How often, since it was started, it looked for a token in Redis, and asked Entra for one. */
  async readTokenCounts(): Promise<TokenCounts> {
    const page = await (await fetch(`http://127.0.0.1:${this.managementPort}/metrics`)).text();
    const count = (series: RegExp): number =>
      [...page.matchAll(series)].reduce((sum, [, value]) => sum + Number(value), 0);
    return {
      hits: count(/^gateway_token_cache_total\{level="redis",outcome="hit"\} (\d+)$/gm),
      misses: count(/^gateway_token_cache_total\{level="redis",outcome="miss"\} (\d+)$/gm),
      failures: count(/^gateway_token_cache_total\{level="redis",outcome="(?:error|skipped)"\} (\d+)$/gm),
      exchanges: count(/^gateway_exchanges_total\{.*\} (\d+)$/gm),
    };
  }

  #describe(): object {
    const { authority, people, records } = this.#surroundings;
    // Tells the APIs, and so the callers, which replica sent a call on.
    const headers = { set: { 'x-replica': this.name } };
    return {
      contract: './openapi.yaml',
      server: {
        host: '127.0.0.1',
        port: this.port,
        publicUrl: 'https://api.contoso.com',
        trustedProxies: ['127.0.0.1'],
        drainDelay: DRAIN_DELAY,
        management: { port: this.managementPort },
      },
      identity: {
        authority,
        tenant: HOME_TENANT_ID,
        clientId: GATEWAY_CLIENT_ID,
        credential: { secret: '${GATEWAY_CLIENT_SECRET}' },
      },
      downstreams: {
        people: { baseUrl: people, scopes: ['https://graph.microsoft.com/User.Read'], headers },
        records: { baseUrl: records, scopes: ['api://orders/.default'], headers },
      },
      tokenCache: { redis: { url: '${REDIS_URL}' } },
      log: { requests: 'errors' },
    };
  }
}

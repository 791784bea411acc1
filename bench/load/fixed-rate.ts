import { LOAD_CORE, startPinned } from '../servers/child-process.ts';
import { readServerCpuTime, type MeasuredServer } from '../servers/server.ts';
import { runTypeScript } from '../servers/typescript.ts';

/** What is sent, how often, and for how long. */
export interface FixedRateOptions {
  readonly server: MeasuredServer;
  readonly path: string;
  readonly tokensFile: string;
  /** How many of the file's tokens take turns. */
  readonly users: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
}

/** What one round at a fixed rate showed. */
export interface FixedRateResult {
  /** Milliseconds from the moment at which a request was due. */
  readonly p50: number;
  /** Milliseconds from the moment at which a request was due. */
  readonly p99: number;
  /** False when the server, or the load itself, was too slow for the rate: the latencies are then those of a jam. */
  readonly isKept: boolean;
  /** The CPU time that the server took for one request, in microseconds. */
  readonly cpuPerRequest: number;
}

/**
 * Sends GET requests at a fixed rate, on the load's core.
 *
 * @throws {Error} when a single answer was not 200 or a single connection broke
 */
export async function sendAtRate(options: FixedRateOptions): Promise<FixedRateResult> {
  const { server, path, tokensFile, users, connections, requestsPerSecond, seconds } = options;
  const before = readServerCpuTime(server);
  const client = await startPinned({
    name: 'the load at a fixed rate',
    core: LOAD_CORE,
    ...runTypeScript(
      'send-at-rate.ts',
      `${server.origin}${path}`,
      tokensFile,
      users,
      requestsPerSecond,
      connections,
      seconds,
    ),
    stdout: 'pipe',
  });
  const { answered, ...result } = JSON.parse(await client.output(seconds + 60)) as Answers;
  return { ...result, cpuPerRequest: ((readServerCpuTime(server) - before) * 1_000) / answered };
}

/** What the program writes. */
type Answers = Omit<FixedRateResult, 'cpuPerRequest'> & { readonly answered: number };

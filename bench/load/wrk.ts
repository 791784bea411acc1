import { fileURLToPath } from 'node:url';
import { LOAD_CORE, startPinned } from '../servers/child-process.ts';
import { readServerCpuTime, type MeasuredServer } from '../servers/server.ts';

/** What wrk is to send, and for how long. */
export interface WrkOptions {
  readonly server: Pick<MeasuredServer, 'origin' | 'process' | 'helper'>;
  readonly path: string;
  /** Default `GET`. */
  readonly method?: 'GET' | 'POST';
  /** Bytes of each request's body; default none. */
  readonly bodySize?: number;
  readonly tokensFile: string;
  /** How many of the file's tokens take turns. */
  readonly users: number;
  /** Default 64. */
  readonly connections?: number | undefined;
  /** True for a new connection for each request; default false. */
  readonly closes?: boolean | undefined;
  readonly seconds: number;
}

/** What wrk saw in one round. */
export interface WrkResult {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
  /** The CPU time that the server took for one request, in microseconds. */
  readonly cpuPerRequest: number;
}

const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url));

/**
 * Lets wrk send requests for a time, on the load's core.
 *
 * @throws {Error} when a single answer was no 2xx or 3xx or a single connection broke: such a round says nothing
 */
export async function runWrk(options: WrkOptions): Promise<WrkResult> {
  const { server, path, method = 'GET', bodySize = 0, tokensFile, users, connections = 64, seconds } = options;
  const { origin } = server;
  const before = readServerCpuTime(server);
  const child = await startPinned({
    name: 'wrk',
    core: LOAD_CORE,
    command: 'wrk',
    args: [
      ...Object.entries({ '-t': 1, '-c': connections, '-d': `${seconds}s`, '--timeout': '60s', '-s': SCRIPT }).flat(),
      origin,
      '--',
      tokensFile,
      users,
      method,
      path,
      bodySize,
      options.closes === true ? 'close' : 'keep',
    ].map(String),
    stdout: 'pipe',
  });
  const text = await child.output(seconds + 60);
  const cpuTime = readServerCpuTime(server) - before;
  const [, json] = /^RESULT (.*)$/m.exec(text) ?? [];
  if (json === undefined) {
    throw new Error(`wrk told no result: ${text}`);
  }
  const result = JSON.parse(json) as Record<WrkFigure, number>;
  if (result.refused > 0 || result.broken > 0 || result.requests === 0) {
    throw new Error(
      `${method} ${origin}${path}: ${result.refused} answers were no 2xx, ${result.broken} connections broke, ` +
        `of ${result.requests} requests; this round says nothing`,
    );
  }
  return {
    requestsPerSecond: (result.requests / result.microseconds) * 1_000_000,
    p50: result.p50 / 1_000,
    p99: result.p99 / 1_000,
    cpuPerRequest: (cpuTime * 1_000) / result.requests,
  };
}

type WrkFigure = 'requests' | 'microseconds' | 'p50' | 'p99' | 'refused' | 'broken';

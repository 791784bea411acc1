import { Pool } from 'undici';
import { Circuit } from '../circuit.ts';

/** What gateway.yaml says of a downstream; times in milliseconds, `undefined` for no limit. */
export interface DownstreamSettings {
  /** Without a slash at the end; may have a path. */
  readonly baseUrl: string;
  readonly timeout: {
    readonly connect: number | undefined;
    readonly response: number | undefined;
    readonly idle: number | undefined;
  };
}

/** So many that a restart or a lost connection does not open it, so short that it hardly delays the recovery. */
const CIRCUIT = { failures: 50, openFor: 2_000 } as const;

/** An API behind the gateway and the connections to it. */
export class Downstream {
  readonly name: string;
  readonly pool: Pool;
  /** What every path begins with; empty when the base address has no path. */
  readonly basePath: string;
  /** Opens when the API cannot be reached many times in a row. */
  readonly circuit: Circuit;
  /** Milliseconds until the head of an answer is here; may be infinite. */
  readonly responseTimeout: number;
  /** Milliseconds that may pass between two pieces of a body; may be infinite. */
  readonly idleTimeout: number;

  /** @param now milliseconds since the epoch */
  constructor(name: string, { baseUrl, timeout }: DownstreamSettings, now: () => number) {
    const { origin, pathname } = new URL(baseUrl);
    this.name = name;
    this.basePath = pathname.replace(/\/$/, '');
    this.responseTimeout = timeout.response ?? Number.POSITIVE_INFINITY;
    this.idleTimeout = timeout.idle ?? Number.POSITIVE_INFINITY;
    this.circuit = new Circuit(CIRCUIT, now);
    this.pool = new Pool(origin, {
      // For undici, 0 is no limit.
      connect: { timeout: timeout.connect ?? 0 },
      headersTimeout: timeout.response ?? 0,
      bodyTimeout: timeout.idle ?? 0,
    });
  }

  /** Ends the connections at once. */
  destroy(): Promise<void> {
    return this.pool.destroy();
  }
}

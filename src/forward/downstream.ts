import { Pool } from 'undici';

/** What gateway.yaml says of a downstream; times in milliseconds. */
export interface DownstreamSettings {
  /** Without a slash at the end; may have a path. */
  readonly baseUrl: string;
  readonly timeout: { readonly connect: number; readonly response: number; readonly idle: number };
}

/** An API behind the gateway and the connections to it. */
export class Downstream {
  readonly name: string;
  readonly pool: Pool;
  /** What every path begins with; empty when the base address has no path. */
  readonly basePath: string;
  /** Milliseconds that may pass between two pieces of a body. */
  readonly idleTimeout: number;

  constructor(name: string, { baseUrl, timeout }: DownstreamSettings) {
    const { origin, pathname } = new URL(baseUrl);
    this.name = name;
    this.basePath = pathname.replace(/\/$/, '');
    this.idleTimeout = timeout.idle;
    this.pool = new Pool(origin, {
      connect: { timeout: timeout.connect },
      headersTimeout: timeout.response,
      bodyTimeout: timeout.idle,
    });
  }

  /** Waits for the calls under way and closes the connections. */
  close(): Promise<void> {
    return this.pool.close();
  }

  /** Ends the connections at once. */
  destroy(): Promise<void> {
    return this.pool.destroy();
  }
}

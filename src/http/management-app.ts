import type { Application } from 'express';
import { createAppServer, drain, listen } from './server.ts';
import { toUrl } from './to-url.ts';

/** What the probes and the metrics page ask the gateway. */
export interface ManagementOptions {
  /** Why the gateway should get no requests; `undefined` when it should. */
  readonly whyNotReady: () => string | undefined | Promise<string | undefined>;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The listener of the operators. */
export interface Management {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens for probes and for Prometheus.
 *
 * @throws {ListenError} when the port cannot be had
 */
export async function startManagement(
  { host, port }: { readonly host: string; readonly port: number },
  options: ManagementOptions,
): Promise<Management> {
  const { app, server } = createAppServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const address = await listen(server, host, port, 'server.management.port');
  mountManagement(app, options);
  return { url: toUrl(host, address.port), close: () => drain(server, 0) };
}

/** Gives an application the probes and the metrics: `/livez` (alias `/healthz`), `/readyz` and `/metrics`. */
function mountManagement(app: Application, { whyNotReady, renderMetrics }: ManagementOptions): void {
  app.get(['/livez', '/healthz'], (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/readyz', async (_req, res) => {
    const reason = await whyNotReady();
    res
      .status(reason === undefined ? 200 : 503)
      .json(reason === undefined ? { status: 'ok' } : { status: 'not ready', reason });
  });
  app.get('/metrics', async (_req, res) => {
    const { contentType, text } = await renderMetrics();
    res.set('content-type', contentType).send(text);
  });
}

import type { RequestListener } from 'node:http';
import express, { type Request, type Response } from 'express';
import type { MetricsFormat, MetricsPage } from '../telemetry/metrics-page.ts';
import { drain } from './drain.ts';
import { chooseMetricsFormat } from './metrics-format.ts';
import { answerBarely, createHttpServer, listen } from './server.ts';
import { toUrl } from '../network/to-url.ts';

/** What the probes and the metrics page ask the gateway. */
export interface ManagementOptions {
  /** Why the process should be replaced; absent where a process that answers at all is alive. */
  readonly whyNotAlive?: () => Promise<string | undefined>;
  /** Why the gateway should get no requests; `undefined` when it should. */
  readonly whyNotReady: () => string | undefined | Promise<string | undefined>;
  readonly renderMetrics: (format: MetricsFormat) => Promise<MetricsPage>;
}

/** The listener for operators. */
export interface Management {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens for probes and for Prometheus.
 *
 * @throws {ListenError} when it cannot listen on the port
 */
export async function startManagement(
  { host, port }: { readonly host: string; readonly port: number },
  options: ManagementOptions,
): Promise<Management> {
  const { server, connections } = createHttpServer(handleManagement(options), (socket) =>
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  const address = await listen(server, host, port, 'server.management.port');
  return { url: toUrl(host, address.port), close };

  async function close(): Promise<void> {
    await drain(server, connections, { delayMs: 0, timeoutMs: 0 });
  }
}

/** Makes the handler of the probes and the metrics: `/livez` (alias `/healthz`), `/readyz` and `/metrics`. */
function handleManagement(options: ManagementOptions): RequestListener {
  const { whyNotAlive, whyNotReady, renderMetrics } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get(['/livez', '/healthz'], async (_req, res) => {
    const reason = await whyNotAlive?.();
    res
      .status(reason === undefined ? 200 : 503)
      .json(reason === undefined ? { status: 'ok' } : { status: 'not alive', reason });
  });
  app.get('/readyz', async (_req, res) => {
    const reason = await whyNotReady();
    res
      .status(reason === undefined ? 200 : 503)
      .json(reason === undefined ? { status: 'ok' } : { status: 'not ready', reason });
  });
  app.get('/metrics', async (req, res) => {
    const { contentType, text } = await renderMetrics(chooseMetricsFormat(req.headers.accept));
    res.set({ 'content-type': contentType, vary: 'Accept' }).send(text);
  });
  // Without a function for the rest, Express would answer with a page that holds a stack.
  return (req, res) =>
    app(req as Request, res as Response, (error) => answerBarely(res, error === undefined ? 404 : 500));
}

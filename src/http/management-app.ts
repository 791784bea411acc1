import type { Application } from 'express';

/** What the probes and the metrics page ask the gateway. */
export interface ManagementOptions {
  /** Why the gateway should get no requests; `undefined` when it should. */
  readonly whyNotReady: () => string | undefined;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Gives an application the probes and the metrics: `/livez` (alias `/healthz`), `/readyz` and `/metrics`. */
export function mountManagement(app: Application, { whyNotReady, renderMetrics }: ManagementOptions): void {
  app.get(['/livez', '/healthz'], (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/readyz', (_req, res) => {
    const reason = whyNotReady();
    res
      .status(reason === undefined ? 200 : 503)
      .json(reason === undefined ? { status: 'ok' } : { status: 'not ready', reason });
  });
  app.get('/metrics', async (_req, res) => {
    const { contentType, text } = await renderMetrics();
    res.set('content-type', contentType).send(text);
  });
}

import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import { listenOnLoopback, type ListenOptions } from '../loopback-server.ts';
import { createQuietApp } from '../quiet-app.ts';
import { bundlePages } from './bundle.ts';
import { describeSinglePageApp } from './describe-settings.ts';
import { addPageHeaders } from './page-headers.ts';
import type { PlaygroundSettings } from './playground-settings.ts';
import { demandOwnHost, demandOwnPage } from './same-origin.ts';
import { streamHops } from './stream-hops.ts';
import type { Trace } from './trace.ts';
import type { WorldControls } from './world-controls.ts';

/** What the playground shows and turns. */
export interface PlaygroundOptions extends ListenOptions {
  readonly settings: PlaygroundSettings;
  readonly trace: Trace;
  readonly controls: WorldControls;
}

/** The playground's server. */
export interface Playground {
  /** `http://localhost:{port}`. */
  readonly origin: string;
  /**
   * Makes the pages, which otherwise waits for the first request of one.
   * @throws {Error} what is wrong with a page's source
   */
  prepare(): Promise<void>;
  /** Stops it. */
  close(): Promise<void>;
}

/** Starts the playground's server. */
export async function startPlayground({
  settings,
  trace,
  controls,
  ...listen
}: PlaygroundOptions): Promise<Playground> {
  const server = await listenOnLoopback(listen, (origin) => buildApp(origin, { settings, trace, controls }));
  return {
    origin: server.origin,
    prepare: async () => {
      await bundlePages();
    },
    close: () => server.close(),
  };
}

type Parts = Pick<PlaygroundOptions, 'settings' | 'trace' | 'controls'>;

function buildApp(origin: string, { settings, trace, controls }: Parts): Express {
  const app = createQuietApp();
  app.use(demandOwnHost(origin), addPageHeaders(settings));
  app.get('/settings.json', (_req, res) => {
    res.json(settings);
  });
  app.get('/single-page-app/settings.json', (_req, res) => {
    res.json(describeSinglePageApp(settings));
  });
  app.get('/hops', streamHops(trace));
  app.get('/world', (_req, res) => {
    res.json(controls.describe());
  });
  app.use('/world', demandOwnPage(origin), express.json());
  app.put('/world/switches/:id', async (req, res) => {
    const body = req.body as { readonly position?: unknown } | undefined;
    answerChange(res, controls, await controls.turn(req.params.id, body?.position));
  });
  app.post('/world/actions/:id', async (req, res) => {
    answerChange(res, controls, await controls.act(req.params.id));
  });
  app.post('/world/reset', async (_req, res) => {
    await controls.reset();
    answerChange(res, controls, true);
  });
  app.get(['/', '/*path'], servePage);
  app.use(answerFault);
  return app;
}

function answerChange(res: Response, controls: WorldControls, isKnown: boolean): void {
  if (isKnown) {
    res.json(controls.describe());
  } else {
    res.status(404).json({ error: 'There is no such switch, position or action.' });
  }
}

const servePage: RequestHandler = async (req, res) => {
  const files = await bundlePages();
  const file = files.get(req.path.endsWith('/') ? `${req.path}index.html` : req.path);
  if (file) {
    res.type(file.contentType).send(file.content);
  } else {
    res.sendStatus(404);
  }
};

/** A fault of a page's source is for whoever is writing it; what a client sent wrongly has a status of its own. */
const answerFault: ErrorRequestHandler = (error: Error & { readonly status?: number }, _req, res, next) => {
  if (res.headersSent) {
    next(error);
  } else {
    res
      .status(error.status ?? 500)
      .type('text')
      .send(error.message);
  }
};

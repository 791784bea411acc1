import type { IncomingHttpHeaders } from 'node:http';
import type { Express, Request, RequestHandler } from 'express';
import type { Emulator } from '../emulator/emulator.ts';
import { createQuietApp } from '../quiet-app.ts';
import { listenOnLoopback, type ListenOptions } from '../loopback-server.ts';
import { TrafficLog } from '../traffic-log.ts';
import { causeTrouble, noTrouble, type Trouble } from './trouble.ts';

/** How to start a demo API. */
export interface DemoApiOptions extends ListenOptions {
  /** Whose tokens it accepts. */
  readonly emulator: Emulator;
}

/** One request that a demo API dealt with. */
export interface DownstreamRequest {
  /** When it arrived, milliseconds since 1970. */
  readonly startedAt: number;
  readonly method: string;
  /** Path and query, as they arrived. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they arrived. */
  readonly rawHeaders: readonly string[];
  /** Bytes of the request's body. */
  readonly bodyBytes: number;
  /** 0 when no answer was sent. */
  readonly status: number;
  /** `WWW-Authenticate` of the answer. */
  readonly challenge: string | undefined;
  /** Milliseconds from arrival to the end of the answer. */
  readonly ms: number;
}

/** A demo API that runs. */
export interface DemoApi {
  /** `http://localhost:{port}`. */
  readonly origin: string;
  /** Every request, oldest first, noted when it ended. */
  readonly requests: DownstreamRequest[];
  /** What goes wrong, for tests; changes take effect at once. */
  readonly trouble: Trouble;
  /** Ends all trouble. */
  resetTrouble(): void;
  /** Calls the listener for each further request; the answer ends that. */
  onRequest(listener: (request: DownstreamRequest) => void): () => void;
  /** Refuses connections until `resume`. */
  pause(): Promise<void>;
  /** Takes connections again. */
  resume(): Promise<void>;
  /** Stops it. */
  close(): Promise<void>;
}

/** Starts a demo API with these routes. */
export async function startDemoApi(options: ListenOptions, addRoutes: (app: Express) => void): Promise<DemoApi> {
  const traffic = new TrafficLog<DownstreamRequest>();
  const trouble = noTrouble();
  const server = await listenOnLoopback(options, () => {
    const app = createQuietApp();
    app.use(noteRequests(traffic), causeTrouble(trouble));
    addRoutes(app);
    return app;
  });
  return {
    origin: server.origin,
    requests: traffic.requests,
    trouble,
    resetTrouble: () => {
      Object.assign(trouble, noTrouble());
    },
    onRequest: (listener) => traffic.onRequest(listener),
    pause: () => server.pause(),
    resume: () => server.resume(),
    close: () => server.close(),
  };
}

function noteRequests(traffic: TrafficLog<DownstreamRequest>): RequestHandler {
  return (req, res, next) => {
    const startedAt = Date.now();
    const start = performance.now();
    const countBytes = watchBody(req);
    res.on('close', () => {
      traffic.add({
        startedAt,
        method: req.method,
        path: req.originalUrl,
        headers: req.headers,
        rawHeaders: req.rawHeaders,
        bodyBytes: countBytes(),
        status: res.headersSent ? res.statusCode : 0,
        challenge: res.get('WWW-Authenticate'),
        ms: performance.now() - start,
      });
    });
    next();
  };
}

/** Counts on the way in: a `data` listener would start the stream before the route is ready to read it. */
function watchBody(req: Request): () => number {
  let bytes = 0;
  const push = req.push.bind(req);
  req.push = (chunk: Buffer | null, encoding) => {
    bytes += chunk?.length ?? 0;
    return push(chunk, encoding);
  };
  return () => bytes;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
// In a project of your own: from 'obo-gateway'.
import type { Obo } from '../../src/index.ts';
import { readDashboard } from './dashboard.ts';

/** Node alone: one function for all requests, and one place where errors become answers. */
export function createNodeServer(obo: Obo): Server {
  // Without a framework nobody knows the route: the name is what the log and the metrics say.
  const protect = promisify(obo.protect({ scopes: ['Profile.Read'], name: 'GET /dashboard' }));

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method !== 'GET' || req.url?.split('?')[0] !== '/dashboard') {
      res.writeHead(404).end();
      return;
    }
    await protect(req, res);
    const body = JSON.stringify(await readDashboard(obo, req));
    res.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }

  async function answerError(error: unknown, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const problem = await obo.toProblem(error, req);
    res.writeHead(problem?.status ?? 500, problem?.headers).end(problem?.body);
  }

  return createServer((req, res) => {
    serve(req, res)
      .catch((error: unknown) => answerError(error, req, res))
      // The answer had begun: its caller must not take a part for the whole.
      .catch(() => res.destroy());
  });
}

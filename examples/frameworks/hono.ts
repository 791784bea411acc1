import { promisify } from 'node:util';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
// In a project of your own: from 'obo-gateway'.
import type { Obo } from '../../src/index.ts';
import { readDashboard } from './dashboard.ts';

interface OnNode {
  readonly Bindings: HttpBindings;
}

/** Hono on Node: its context has the messages of Node in `env`. */
export function createHonoApplication(obo: Obo): Hono<OnNode> {
  const app = new Hono<OnNode>();
  // Node's message does not know the route of Hono: the name is what the log and the metrics say.
  const protect = promisify(obo.protect({ scopes: ['Profile.Read'], name: 'GET /dashboard' }));

  const protectDashboard = createMiddleware<OnNode>(async ({ env }, next) => {
    await protect(env.incoming, env.outgoing);
    await next();
  });

  app.get('/dashboard', protectDashboard, async (context) =>
    context.json(await readDashboard(obo, context.env.incoming)),
  );

  app.onError(async (error, { env }) => {
    const problem = await obo.toProblem(error, env.incoming);
    return new Response(problem?.body ?? null, { status: problem?.status ?? 500, headers: problem?.headers ?? {} });
  });
  return app;
}

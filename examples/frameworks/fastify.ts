import { promisify } from 'node:util';
import { fastify, type FastifyInstance } from 'fastify';
// In a project of your own: from 'obo-gateway'.
import type { Obo } from '../../src/index.ts';
import { readDashboard } from './dashboard.ts';

/** Fastify: the caller is let in by a hook, and one handler makes answers of errors. */
export function createFastifyServer(obo: Obo): FastifyInstance {
  const app = fastify();
  // Node's message does not know the route of Fastify: the name is what the log and the metrics say.
  const protect = promisify(obo.protect({ scopes: ['Profile.Read'], name: 'GET /dashboard' }));

  app.get('/dashboard', { onRequest: (request, reply) => protect(request.raw, reply.raw) }, (request) =>
    readDashboard(obo, request),
  );

  app.setErrorHandler(async (error, request, reply) => {
    const problem = await obo.toProblem(error, request);
    if (problem === undefined) {
      throw error;
    }
    // Not as text, whose type Fastify would complete with a charset, which JSON does not have (RFC 8259 §11).
    return reply.code(problem.status).headers(problem.headers).send(Buffer.from(problem.body));
  });
  return app;
}

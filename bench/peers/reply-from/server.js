import replyFrom from '@fastify/reply-from';
import Fastify from 'fastify';

const app = Fastify({ logger: false });

// Bodies pass as they are; without this Fastify parses JSON and refuses every other type.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

app.get('/health', async () => 'ok');

const routes = JSON.parse(process.env.ROUTES);
for (const base of new Set(routes.map(({ origin }) => origin))) {
  app.register(async (scope) => {
    // The default of 128 connections would leave most of 1,000 event streams waiting.
    scope.register(replyFrom, { base, undici: { connections: 2_000 } });
    for (const { method, path } of routes.filter(({ origin }) => origin === base)) {
      scope[method](path, (request, reply) => reply.from(request.url));
    }
  });
}

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });

/**
 * The library without Express: one page that asks two APIs, served by Fastify, by Hono, or by Node alone. Beside the demo
 * world, with a token of one of its people (the command-line example signs in):
 *
 *   npm start                                            in another terminal
 *   npx tsx examples/frameworks/main.ts fastify          or hono, or node
 *   curl -i http://localhost:4000/dashboard              401, with a challenge
 */
import { serve } from '@hono/node-server';
// In a project of your own: from 'obo-gateway'.
import { createObo } from '../../src/index.ts';
import { createFastifyServer } from './fastify.ts';
import { createHonoApplication } from './hono.ts';
import { createNodeServer } from './node-http.ts';

const {
  PORT = '4000',
  ENTRA_URL = 'http://localhost:8081',
  GRAPH_URL = 'http://localhost:8082',
  ORDERS_URL = 'http://localhost:8083',
  CLIENT_SECRET = 'demo-secret-of-the-gateway',
} = process.env;

const obo = await createObo({
  config: {
    identity: {
      authority: ENTRA_URL,
      tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      clientId: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      credential: { secret: CLIENT_SECRET },
    },
    downstreams: {
      graph: { baseUrl: GRAPH_URL, scopes: ['https://graph.microsoft.com/User.Read'] },
      orders: { baseUrl: ORDERS_URL, scopes: ['api://orders/.default'] },
    },
  },
  logger: { warn: console.warn, error: console.error },
});

const port = Number(PORT);
const hostname = '127.0.0.1';
const framework = process.argv[2] ?? 'node';
switch (framework) {
  case 'fastify':
    await createFastifyServer(obo).listen({ port, host: hostname });
    break;
  case 'hono':
    serve({ fetch: createHonoApplication(obo).fetch, port, hostname });
    break;
  case 'node':
    createNodeServer(obo).listen(port, hostname);
    break;
  default:
    throw new Error(`Unknown framework ${framework}; there are fastify, hono and node.`);
}
console.log(`${framework}: http://localhost:${PORT}/dashboard`);

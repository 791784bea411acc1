import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const app = express();

app.get('/health', (_req, res) => res.send('ok'));

// The default agent keeps connections alive too, but its limit would leave most of 1,000 event streams waiting.
const agent = new Agent({ keepAlive: true });

const routes = JSON.parse(process.env.ROUTES);
for (const target of new Set(routes.map(({ origin }) => origin))) {
  const paths = routes.filter(({ origin }) => origin === target).map(({ path }) => path);
  app.use(createProxyMiddleware({ target, changeOrigin: true, agent, pathFilter: paths }));
}

app.listen(Number(process.env.PORT), '127.0.0.1');

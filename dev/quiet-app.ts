import express, { type Express } from 'express';

/** Makes an Express application that tells nobody what it is made of: no `X-Powered-By`, no stack in its error pages. */
export function createQuietApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  // Express shows stacks wherever NODE_ENV is not set, and answers of demo APIs go through the gateway as they are.
  app.set('env', 'production');
  return app;
}

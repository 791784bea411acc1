import { createRequire } from 'node:module';
import type { Agent, buildConnector, Client, errors, Pool } from 'undici';

const load = createRequire(import.meta.url);

/**
 * The parts of undici that the gateway uses, each from its own file: the whole package, with its fetch, its WebSocket and
 * its caches, takes twice as long to load (73 ms of a start instead of 33), and puts its agent in the place of the one
 * that the process uses for `fetch`. A pool of these parts has `dispatch`, but not `request` and its like.
 */
export const undici = {
  Agent: load('undici/lib/dispatcher/agent.js') as typeof Agent,
  Pool: load('undici/lib/dispatcher/pool.js') as typeof Pool,
  Client: load('undici/lib/dispatcher/client.js') as typeof Client,
  buildConnector: load('undici/lib/core/connect.js') as typeof buildConnector,
  errors: load('undici/lib/core/errors.js') as typeof errors,
};

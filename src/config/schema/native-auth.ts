import { z } from 'zod';
import { OWN_PATHS } from '../../contract/own-paths.ts';
import { clientId, originList, rateLimit, text } from './values.ts';

/** Where native authentication is, unless gateway.yaml says otherwise. */
export const DEFAULT_NATIVE_AUTH_PATH = '/native-auth';

const NATIVE_AUTH_PATH = /^(?:\/[\w~-][\w.~-]*)+$/;
const NATIVE_AUTH_PATH_ALLOWED = `a path such as ${DEFAULT_NATIVE_AUTH_PATH}, without a slash at the end; not ${OWN_PATHS.contract}`;
const CLIENTS = 'a list of application (client) ids';

/** `nativeAuth`: the proxy for native authentication, and for whom it is. */
export const nativeAuth = z
  .strictObject({
    path: text(NATIVE_AUTH_PATH_ALLOWED)
      .regex(NATIVE_AUTH_PATH, { error: NATIVE_AUTH_PATH_ALLOWED })
      .refine((value) => value !== OWN_PATHS.contract, { error: NATIVE_AUTH_PATH_ALLOWED })
      .default(DEFAULT_NATIVE_AUTH_PATH)
      .describe('The prefix of its paths on the port of the API.'),
    origins: originList
      .optional()
      .describe('The exact origins of the pages that may use it. Default: server.cors.origins.'),
    clients: z
      .array(clientId, { error: CLIENTS })
      .min(1, { error: CLIENTS })
      .describe('The apps whose pages may use it.'),
    rateLimit,
  })
  .describe('A proxy for pages that use the native authentication API of Entra External ID, which has no CORS.');

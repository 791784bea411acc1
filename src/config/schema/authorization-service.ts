import { z } from 'zod';
import { isLoopback } from '../../network/loopback.ts';
import { cidrList, listenerTls, permission, port, text } from './values.ts';

/** This machine: the callers where the listener is on a loopback address and none are named. */
const LOOPBACK = ['127.0.0.0/8', '::1'];

const TOKEN_SECURITY = 'a list of scopes such as [Orders.Read], or { app: [roles] }';

const permissions = z.array(permission, { error: TOKEN_SECURITY }).min(1, { error: 'at least one scope or role' });

const tokenEndpoints = z
  .strictObject({
    downstreams: z
      .array(text('the name of a downstream'), { error: 'a list of names of downstreams' })
      .min(1, { error: 'at least one name of a downstream' })
      .describe('The downstreams whose tokens applications may ask for.'),
    security: z
      .array(
        z.union([permissions, z.strictObject({ user: permissions }), z.strictObject({ app: permissions })], {
          error: TOKEN_SECURITY,
        }),
        { error: 'a list of alternatives such as [[Orders.Read]]' },
      )
      .min(1, { error: 'at least one alternative such as [Orders.Read]' })
      .describe("Who may ask, by the caller's token: a list of scopes for users, { app: [roles] } for programs."),
  })
  .describe('Endpoints that give tokens to applications, in the forms of the Entra SDK sidecar and of texas.');

/** `authorizationService`: the listener for engines and, with `tokenEndpoints`, for applications. */
export const authorizationService = z
  .strictObject({
    host: text('a host name or address to listen on').default('127.0.0.1').describe('The address to listen on.'),
    port: port(8081).describe('The port, never that of the API.'),
    tls: listenerTls.optional().describe('TLS with engines; the files are read again when they change.'),
    callers: cidrList
      .default([])
      .describe(
        'The networks of the engines that are served. Default: this machine, where host is a loopback address.',
      ),
    tokenEndpoints: tokenEndpoints.optional(),
  })
  .superRefine(({ host, callers }, context) => {
    if (!isLoopback(host) && callers.length === 0) {
      const message = 'the networks of the engines, because host is no loopback address and tokens are handed out';
      context.addIssue({ code: 'custom', path: ['callers'], message });
    }
  })
  .transform(({ callers, ...service }) => ({ ...service, callers: callers.length === 0 ? LOOPBACK : callers }))
  .describe('A listener for engines such as nginx and Envoy, which carry the calls and ask whether they may pass.');

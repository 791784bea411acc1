import { z } from 'zod';
import {
  cidrList,
  duration,
  guid,
  HEADER_NAME,
  headSize,
  listenerTls,
  originList,
  port,
  size,
  text,
  timeLimit,
  webAddress,
  wholeNumber,
} from './values.ts';

const WORKERS = "a whole number from 1 to 256, or 'auto'";

const DOCS = 'true, false or { clientId: … }';

/** The page shows what anybody may read; with an app registration of its own people can sign in on it. */
const docs = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        clientId: guid('the application (client) id of the page').describe(
          'The app registration with which people sign in on the page, a single-page application.',
        ),
      }),
    ],
    { error: DOCS },
  )
  .default(false)
  .describe('Whether /docs shows the documents of the contract, to read and to try out.');

const PROXY_PROTOCOL = "'v2', the version of the PROXY protocol";

/** `server`: the listeners of the API and of management, and what a process takes on at most. */
export const server = z.strictObject({
  host: text('a host name or address to listen on').default('0.0.0.0').describe('The address to listen on.'),
  port: port(8080).describe('The port of the API.'),
  publicUrl: webAddress('an http or https address without query', () => true)
    .optional()
    .describe('How clients reach the gateway. Default: http://{host}:{port}, https with tls.'),
  trustedProxies: cidrList
    .default([])
    .describe('Networks whose X-Forwarded-* headers, and PROXY protocol, are believed.'),
  proxyProtocol: z
    .literal('v2', { error: PROXY_PROTOCOL })
    .optional()
    .describe('Each connection begins with a PROXY protocol header, and comes from one of trustedProxies.'),
  tls: listenerTls.optional().describe('TLS with callers; the files are read again when they change.'),
  cors: z
    .strictObject({
      origins: originList.default([]).describe('Browser origins that may call the API.'),
      exposedHeaders: z
        .array(text('a header name').regex(HEADER_NAME, { error: 'a header name' }), {
          error: 'a list of header names',
        })
        .default([])
        .describe('Headers of answers that pages may read besides the usual ones.'),
    })
    .prefault({})
    .describe('What pages of other origins may do.'),
  docs,
  bodyLimit: size('10mb').describe('The largest request body.'),
  headLimit: headSize('16kb').describe('The largest request line with its headers.'),
  keepAlive: timeLimit('65s').describe('How long an idle connection of a caller stays open.'),
  maxConnections: wholeNumber(1, 1_000_000)
    .default(20_000)
    .describe('Connections of one process; more are closed at once, unanswered.'),
  maxInFlight: wholeNumber(1, 1_000_000)
    .default(10_000)
    .describe('Requests that one process has under way; more get 503.'),
  drainDelay: duration('5s').describe(
    'How long requests go on being accepted after SIGTERM, while /readyz says 503 and every answer closes its connection.',
  ),
  drainTimeout: duration('30s').describe('How long requests in flight may take after that.'),
  workers: z
    .union([z.literal('auto'), wholeNumber(1, 256, WORKERS)], { error: WORKERS })
    .default(1)
    .describe("Processes that share the port; 'auto' is one per core. Each has its own sessions and exchanges."),
  management: z
    .strictObject({
      host: text('a host name or address to listen on').default('127.0.0.1'),
      port: port(9090),
    })
    .prefault({})
    .describe('The listener for probes and metrics.'),
});

import { isIP } from 'node:net';
import { z } from 'zod';
import { OWN_PATHS } from '../contract/own-paths.ts';
import { isLoopback } from '../network/loopback.ts';
import { isFixed } from '../forward/request-headers.ts';
import { isProxyAddress } from '../network/proxy-address.ts';
import type { EntraLoginSettings } from '../redis/entra-login.ts';
import {
  parseRedisAddress,
  type RedisAddress,
  type RedisAddressError,
  type RedisLoginFiles,
} from '../redis/redis-address.ts';
import { CHALLENGE_SAFE, GUID } from '../syntax/http-syntax.ts';
import { parseDuration, parseSize } from '../syntax/units.ts';
import { LOG_LEVELS } from '../telemetry/log-level.ts';

/*
 * The shape of gateway.yaml. The message of each field says what is allowed; what was found is added by
 * `describeIssues`, so a message never has to repeat a value (which may be a secret).
 */

function text(allowed: string): z.ZodString {
  return z.string({ error: allowed }).min(1, { error: allowed });
}

function duration(byDefault: string) {
  const allowed = 'a duration such as 500ms, 30s or 5m';
  return quantity(parseDuration, allowed).prefault(byDefault);
}

/** The time after which something is given up: not zero, which would be at once; `none` is never. */
function timeLimit(byDefault: string) {
  const allowed = "a duration such as 500ms, 30s or 5m, not zero, or 'none'";
  return text(allowed)
    .transform((value, context): number | undefined => {
      const parsed = value === 'none' ? undefined : parseDuration(value);
      if (value !== 'none' && (parsed === undefined || parsed === 0)) {
        context.issues.push({ code: 'custom', message: allowed, input: value });
        return z.NEVER;
      }
      return parsed;
    })
    .prefault(byDefault);
}

function size(byDefault: string) {
  const allowed = 'a size such as 64kb, 10mb or 2gb';
  return quantity(parseSize, allowed).prefault(byDefault);
}

function quantity(parse: (text: string) => number | undefined, allowed: string) {
  return text(allowed).transform((value, context) => {
    const parsed = parse(value);
    if (parsed === undefined) {
      context.issues.push({ code: 'custom', message: allowed, input: value });
      return z.NEVER;
    }
    return parsed;
  });
}

/** Digits, or a reference: an editor that checks the file sees `${PORT}`, the gateway sees its value. */
const NUMBER_OR_VARIABLE = /^(?:\d+|\$\{\w+\})$/;

const SHARE_OR_VARIABLE = /^(?:[01]|[01]?\.\d+|\$\{\w+\})$/;

/** A whole number; digits in a text count too, because `${PORT}` is a text. */
function wholeNumber(minimum: number, maximum: number, allowed = `a whole number from ${minimum} to ${maximum}`) {
  return z
    .union([z.int(), z.string().regex(NUMBER_OR_VARIABLE).transform(Number)], { error: allowed })
    .refine((value) => value >= minimum && value <= maximum, { error: allowed });
}

function webAddress(allowed: string, accepts: (url: URL) => boolean) {
  return text(allowed)
    .refine((value) => URL.canParse(value) && isPlainAddress(new URL(value)) && accepts(new URL(value)), {
      error: allowed,
    })
    .transform((value) => new URL(value).href.replace(/[?#]+$/, '').replace(/\/+$/, ''));
}

/** True for an address without user, query and fragment, from which nothing breaks out of a challenge parameter. */
function isPlainAddress(url: URL): boolean {
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && /^https?:$/.test(url.protocol) && !/[,=%"\\]/.test(url.href);
}

function isCidr(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  const widest = family === 4 ? 32 : 128;
  return (
    family !== 0 && rest.length === 0 && (prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= widest))
  );
}

const cidrList = z.array(
  text('an address or CIDR').refine(isCidr, { error: 'an IP address or a CIDR such as 10.0.0.0/8' }),
  { error: 'a list of CIDRs' },
);

const WORKERS = "a whole number from 1 to 256, or 'auto'";

const port = (byDefault: number) => wholeNumber(0, 65_535).default(byDefault);

const originList = z.array(
  text('an origin').refine(isExactOrigin, {
    error: 'an exact origin such as https://app.contoso.com, without a path',
  }),
  { error: 'a list of origins' },
);

/** Hybrid apps have origins of their own schemes (`capacitor://localhost`), which URL calls opaque. */
const HYBRID_ORIGIN = /^(?:capacitor|ionic|app|tauri):\/\/[a-z0-9.-]+$/;

function isExactOrigin(value: string): boolean {
  return HYBRID_ORIGIN.test(value) || (URL.canParse(value) && new URL(value).origin === value);
}

/**
 * The name of a header (RFC 9110 §5.1).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.1
 */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const HEADER_VALUE_ALLOWED = 'the value of a header: text of one line, without spaces around it';
const HEADER_VALUE = /^(?!\s)[^\p{Cc}]*(?<!\s)$/u;
const NOT_FIXED =
  'not Authorization, Cookie, Host, Expect, Content-Length, Proxy-* or what belongs to one connection (RFC 9110 §7.6.1)';

const MIN_HEAD_LIMIT = 1_024;
const MAX_HEAD_LIMIT = 1_024 * 1_024;

/** The size of the head of a request or an answer. */
function headSize(byDefault: string) {
  return size(byDefault).refine((bytes) => bytes >= MIN_HEAD_LIMIT && bytes <= MAX_HEAD_LIMIT, {
    error: `a size from 1kb to 1mb, such as ${byDefault}`,
  });
}

const DOCS = 'true, false or { clientId: … }';

/** The page shows what anybody may read; with an app registration of its own people can sign in on it. */
const docs = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        clientId: text('the application (client) id of the page')
          .refine((value) => GUID.test(value), { error: 'the application (client) id of the page (a GUID)' })
          .toLowerCase()
          .describe('The app registration with which people sign in on the page, a single-page application.'),
      }),
    ],
    { error: DOCS },
  )
  .default(false)
  .describe('Whether /docs shows the documents of the contract, to read and to try out.');

const PROXY_PROTOCOL = "'v2', the version of the PROXY protocol";

const listenerTls = z.strictObject({
  cert: text('the path of a PEM certificate').describe('The certificate, and behind it those of its authorities.'),
  key: text('the path of the PEM private key of the certificate').describe('Its private key.'),
  clientCa: text('the path of a PEM file with certificates')
    .optional()
    .describe('The authorities one of which must vouch for the certificate that every client then has to show.'),
});

const server = z.strictObject({
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

const credential = z
  .strictObject({
    secret: text('the client secret, best as ${NAME} from the environment').optional(),
    secretFile: text('the path of a file that holds the client secret')
      .optional()
      .describe('Read again when it changes.'),
    certificate: z
      .strictObject({
        cert: text('the path of a PEM certificate'),
        key: text('the path of the PEM private key of the certificate'),
      })
      .optional(),
    federatedTokenFile: text('the path of a file that holds a federated token').optional(),
    managedIdentity: z.strictObject({ clientId: text('the client id of a user-assigned managed identity') }).optional(),
  })
  .describe('How the gateway proves itself to Entra: exactly one of the keys.');

/** The Entra cloud of most tenants. */
export const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';

const identity = z.strictObject({
  authority: webAddress(
    'the https address of an Entra cloud without a path, such as https://login.microsoftonline.com (http only for a loopback host)',
    (url) => url.pathname === '/' && (url.protocol === 'https:' || isLoopback(url.hostname)),
  )
    .default(DEFAULT_AUTHORITY)
    .describe('The Entra cloud.'),
  tenant: text("a tenant id (a GUID), or 'organizations' with allowedTenants")
    .refine((value) => GUID.test(value) || value === 'organizations', {
      error: "a tenant id (a GUID), or 'organizations' with allowedTenants",
    })
    .transform((value) => value.toLowerCase())
    .describe("The tenant whose users call the API, or 'organizations'."),
  allowedTenants: z
    .array(
      text('a tenant id')
        .refine((value) => GUID.test(value), { error: 'a tenant id (a GUID)' })
        .transform((value) => value.toLowerCase()),
      { error: 'a list of tenant ids' },
    )
    .default([]),
  clientId: text('the application (client) id of the gateway')
    .refine((value) => /^[\w.~-]+$/.test(value), { error: 'the application (client) id of the gateway, a GUID' })
    .describe('The application (client) id of the gateway.'),
  audiences: z
    .array(text('an audience'), { error: 'a list of audiences' })
    .default([])
    .describe('The `aud` values that mean this API. Default: the client id and api://{clientId}.'),
  allowedClients: z
    .array(text('the application (client) id of a caller').toLowerCase(), { error: 'a list of client ids' })
    .default([])
    .describe('The `azp`/`appid` values that may call; empty means any.'),
  requireClientCapability: z
    .boolean({ error: 'true or false' })
    .default(false)
    .describe('Whether claims challenges go only to clients that declared cp1 (the optional claim xms_cc).'),
  boundTokens: z
    .enum(['accept', 'refuse'], { error: "'accept' or 'refuse'" })
    .default('accept')
    .describe('What happens to tokens that are bound to a key (cnf) and sent as plain bearer tokens.'),
  clockTolerance: duration('60s').describe('How far the clocks of Entra and the gateway may be apart.'),
  consentRedirectUri: webAddress('an http or https address without query', () => true)
    .optional()
    .describe('Where Entra sends the user after consent.'),
  credential,
});

const DOWNSTREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

const HOST_NAME = /^[\w.-]*$/;

const PROXY = "the address of a proxy, such as http://user:password@proxy.contoso.com:3128, or 'none'";

const AGENT = 'the client id of an agent identity (a GUID)';

const downstream = z.strictObject({
  baseUrl: webAddress('the http or https address of the API', () => true)
    .optional()
    .describe('Where the API is. Not needed with authorizationService where only engines call it.'),
  scopes: z
    .array(
      text('a scope').refine((scope) => CHALLENGE_SAFE.test(scope), {
        error: 'a scope without spaces, commas, quotes, = and %',
      }),
      { error: 'a list of scopes' },
    )
    .min(1, { error: 'at least one scope' })
    .describe("What the exchanged token is for: fixed, of one resource; a bare name belongs to the cloud's own Graph."),
  agent: text(AGENT)
    .refine((value) => GUID.test(value), { error: AGENT })
    .toLowerCase()
    .optional()
    .describe('The agent identity that gets the tokens; the gateway is then its blueprint.'),
  timeout: z
    .strictObject({
      connect: timeLimit('2s').describe('To reach the API.'),
      response: timeLimit('30s').describe("From the request's end to the answer's headers."),
      idle: timeLimit('60s').describe('Between two pieces of a body, either way.'),
    })
    .prefault({}),
  headers: z
    .strictObject({
      set: z
        .record(
          z
            .string()
            .regex(HEADER_NAME, { error: 'the name of a header' })
            .refine((name) => !isFixed(name), { error: NOT_FIXED }),
          text(HEADER_VALUE_ALLOWED).regex(HEADER_VALUE, { error: HEADER_VALUE_ALLOWED }),
          { error: 'a map of header names and values' },
        )
        .refine(
          (headers) =>
            new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
          {
            error: 'each header once, in whatever case',
          },
        )
        .default({})
        .describe('Fixed headers of every call.'),
      pass: z
        .array(
          text('a header name')
            .regex(HEADER_NAME, { error: 'a header name' })
            .refine((name) => !isFixed(name), { error: NOT_FIXED }),
          { error: 'a list of header names' },
        )
        .default([])
        .describe('Headers of callers that pass although they usually do not.'),
    })
    .prefault({}),
  query: z
    .record(text('the name of a parameter'), text('the value of a parameter'), {
      error: 'a map of parameter names and values',
    })
    .default({})
    .describe('Fixed parameters of every call.'),
  tls: z
    .strictObject({
      ca: text('the path of a PEM file').optional().describe('The authorities that may vouch for the API.'),
      cert: text('the path of a PEM certificate').optional().describe("The gateway's own certificate."),
      key: text('the path of the PEM private key of the certificate').optional(),
      serverName: text('a host name')
        .refine((value) => HOST_NAME.test(value), { error: 'a host name' })
        .optional()
        .describe('The name that the certificate of the API must have.'),
    })
    .optional(),
  connections: z
    .strictObject({
      maxAge: timeLimit('60s').describe('How long a connection is used, so that a changed DNS name is followed.'),
    })
    .prefault({}),
  headLimit: headSize('64kb').describe("The largest head of the API's answers."),
  proxy: z
    .string({ error: PROXY })
    .refine((value) => value === 'none' || isProxyAddress(value), { error: PROXY })
    .optional()
    .describe('Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.'),
});

const REQUESTS = "'all', 'errors' or a share from 0 to 1, such as 0.01";

/** A share as a number, or as a text, because `${LOG_SHARE}` is one. */
const share = z
  .union([z.number(), z.string().regex(SHARE_OR_VARIABLE).transform(Number)])
  .refine((value) => value >= 0 && value <= 1, { error: REQUESTS });

const log = z.strictObject({
  level: z
    .enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` })
    .default('info')
    .describe('The lowest level of the lines that are written.'),
  requests: z
    .union([z.literal(['all', 'errors']), share], { error: REQUESTS })
    .default('all')
    .describe('Which lines of requests that went well are written; those of refusals and errors always are.'),
  audit: text("the path of a file, or 'stderr'")
    .optional()
    .describe('A second destination of the events for audit: a file, or stderr.'),
  whenBlocked: z
    .enum(['drop', 'wait'], { error: "'drop' or 'wait'" })
    .default('drop')
    .describe('What happens when nobody reads the log: lines are lost and counted, or requests wait.'),
});

const OBJECT_ID = 'the object id of a service principal or a managed identity (a GUID)';

const SECRET_FILE = 'the path of a file that holds it';

const redis = z
  .strictObject({
    url: text('an address such as redis://user:password@host:6379/0, best as ${NAME} from the environment')
      .transform((value, context) => {
        try {
          return parseRedisAddress(value);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as RedisAddressError).message });
          return z.NEVER;
        }
      })
      .describe('redis:// or rediss://; with +sentinel, +cluster or +unix for the other ways to reach it.'),
    userFile: text(SECRET_FILE).optional().describe('A file with the user, read again before each connection.'),
    passwordFile: text(SECRET_FILE).optional().describe('A file with the password, read again before each connection.'),
    sentinelUserFile: text(SECRET_FILE).optional().describe('A file with the user of the Sentinels.'),
    sentinelPasswordFile: text(SECRET_FILE).optional().describe('A file with the password of the Sentinels.'),
    entra: z
      .strictObject(
        {
          objectId: text(OBJECT_ID)
            .refine((value) => GUID.test(value), { error: OBJECT_ID })
            .optional()
            .describe('The object id of the identity, which is its user name. Default: that of the token.'),
        },
        { error: 'a map, which may be empty: {}' },
      )
      .optional()
      .describe("Login at Azure's Redis with a token of the gateway's own credential."),
  })
  .superRefine(refuseUnclearLogin);

/** Which user and which password counts must be plain, and a user alone is mostly a password in the wrong place. */
function refuseUnclearLogin(settings: RedisSettings, context: z.RefinementCtx): void {
  const { username, password, place } = settings.url;
  const sentinels = place.kind === 'sentinel' ? place : undefined;
  const inUrl = {
    userFile: username,
    passwordFile: password,
    sentinelUserFile: sentinels?.username,
    sentinelPasswordFile: sentinels?.password,
  };
  const refuse = (key: keyof RedisSettings, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message });
  for (const [key, written] of Object.entries(inUrl) as [keyof typeof inUrl, string | undefined][]) {
    if (settings[key] !== undefined && written !== undefined) {
      refuse(key, 'nothing, because tokenCache.redis.url says it, too');
    } else if (settings[key] !== undefined && key.startsWith('sentinel') && sentinels === undefined) {
      refuse(key, 'nothing, because tokenCache.redis.url names no Sentinels (redis+sentinel://)');
    }
  }
  const { userFile, passwordFile, entra } = settings;
  if (entra !== undefined) {
    if ((username ?? password ?? userFile ?? passwordFile) !== undefined) {
      refuse('entra', 'nothing beside a user or a password, here, in files or in tokenCache.redis.url');
    } else if (place.kind === 'sentinel') {
      refuse('entra', 'nothing with Sentinels, which Azure does not have');
    } else if (!isPrivate(settings.url)) {
      refuse('url', 'rediss:// with tokenCache.redis.entra, because the token would travel in clear');
    }
    return;
  }
  if ((username ?? userFile) !== undefined && (password ?? passwordFile) === undefined) {
    refuse('url', 'a password with the user, here or in passwordFile; without a user: redis://:password@host');
  }
}

/** True when nobody on the network can read what is sent to Redis. */
export function isPrivate({ encrypted, place }: Pick<RedisAddress, 'encrypted' | 'place'>): boolean {
  const nodes = place.kind === 'server' ? [place.node] : place.kind === 'socket' ? [] : place.nodes;
  return encrypted || nodes.every(({ host }) => isLoopback(host === '::1' ? '[::1]' : host));
}

/** The second level as gateway.yaml has it. */
interface RedisSettings extends RedisLoginFiles {
  readonly url: RedisAddress;
  readonly entra?: EntraLoginSettings | undefined;
}

/** Where native authentication is, unless gateway.yaml says otherwise. */
export const DEFAULT_NATIVE_AUTH_PATH = '/native-auth';

const NATIVE_AUTH_PATH = /^(?:\/[\w~-][\w.~-]*)+$/;
const NATIVE_AUTH_PATH_ALLOWED = `a path such as ${DEFAULT_NATIVE_AUTH_PATH}, without a slash at the end; not ${OWN_PATHS.contract}`;
const CLIENTS = 'a list of application (client) ids';
const SOME_TIME = 'a duration such as 30s or 1m, not zero';

/** How many requests an address may make in which time: for endpoints whose callers have not proved who they are. */
const rateLimit = z
  .strictObject({
    requests: wholeNumber(1, 1_000_000).default(60),
    per: quantity(parseDuration, SOME_TIME)
      .refine((milliseconds) => milliseconds > 0, { error: SOME_TIME })
      .prefault('1m'),
  })
  .prefault({})
  .describe('How many requests each client address may make in a time; each worker counts for itself.');

const CLIENT = 'an application (client) id (a GUID)';

const clientId = text('an application (client) id')
  .refine((value) => GUID.test(value), { error: CLIENT })
  .toLowerCase();

const nativeAuth = z
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

const AUTHORIZATION_SERVER = "'entra' or 'facade'";

const mcp = z
  .strictObject({
    authorizationServer: z
      .enum(['entra', 'facade'], { error: AUTHORIZATION_SERVER })
      .default('entra')
      .describe('What the metadata of the MCP servers name: Entra itself, or a façade in front of it.'),
    register: z
      .boolean({ error: 'true or false' })
      .default(false)
      .describe('Whether clients without a client id get that of mcp.clientId, which they all share.'),
    clientId: clientId.optional().describe('The client id for clients that register.'),
    rateLimit,
  })
  .describe('How clients of the MCP servers of the contract (x-mcp-server) get their tokens.');

const LOOPBACK = ['127.0.0.0/8', '::1'];

const permission = text('a scope or role').refine((name) => CHALLENGE_SAFE.test(name), {
  error: 'a scope or role without spaces, commas, quotes, = and %',
});

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

const authorizationService = z
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

const PREFIX = 'a path such as /graph, without a slash at its end, dot segments, braces, % or a query';
const PREFIX_PATTERN = /^(?:\/|(?:\/(?!\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@-]+)+)$/;

const DOCUMENT_NAME = 'a name without spaces';

const SELECTED = 'operationIds and patterns such as GET /orders/* or GET /orders/**';

const contractDocument = z.strictObject({
  document: text('the path of the OpenAPI document').describe('The OpenAPI document, relative to this file.'),
  prefix: z
    .string({ error: PREFIX })
    .regex(PREFIX_PATTERN, { error: PREFIX })
    .transform((prefix) => (prefix === '/' ? '' : prefix))
    .optional()
    .describe('What stands before its paths for callers. Default: the path of the first of its servers.'),
  name: text(DOCUMENT_NAME)
    .regex(/^[^\s\p{Cc}]{1,100}$/u, { error: DOCUMENT_NAME })
    .optional()
    .describe('What stands before the names of its operations in the log and the metrics. Default: the prefix.'),
  downstream: text('the name of a downstream').optional().describe('The downstream of the operations that name none.'),
  security: z
    .array(
      z.record(z.string(), z.array(permission, { error: 'a list of scopes or roles' }), {
        error: 'a map of schemes and their scopes or roles',
      }),
      { error: 'a list of security requirements such as { user: [Orders.Read] }' },
    )
    .optional()
    .describe('Who may call, in place of what the document says: { user: [scopes] }, { app: [roles] }, {} for anyone.'),
  operations: z
    .array(text(SELECTED), { error: `a list of ${SELECTED}` })
    .min(1, { error: `at least one of ${SELECTED}` })
    .optional()
    .describe('The only operations that are served: operationIds, and METHOD /path with * and /**.'),
});

/** Callers, logs and metrics must be able to tell the documents apart. */
function refuseAmbiguity(documents: readonly z.output<typeof contractDocument>[], context: z.RefinementCtx): void {
  for (const [index, { prefix = '', name = prefix }] of documents.entries()) {
    const before = documents.slice(0, index);
    if (before.some((other) => (other.prefix ?? '') === prefix)) {
      const message =
        prefix === '' ? 'a prefix, because another document has none' : 'a prefix that no other document has';
      context.addIssue({ code: 'custom', message, path: [index, 'prefix'] });
    } else if (name !== '' && before.some((other) => (other.name ?? other.prefix) === name)) {
      context.addIssue({ code: 'custom', message: 'a name that no other document has', path: [index, 'name'] });
    }
  }
}

const contractDocuments = z
  .array(contractDocument)
  .min(1, { error: 'at least one document' })
  .superRefine(refuseAmbiguity);

/** The documents of the contract: the path of the only one, or a list. */
const contractSchema = z.union([text('the path of the OpenAPI document'), contractDocuments], {
  error: 'the path of the OpenAPI document, or a list of documents',
});

/** gateway.yaml, key by key. */
export const gatewaySchema = z.strictObject({
  contract: contractSchema.describe(
    'The OpenAPI document, relative to this file; or a list of documents, each with what the gateway makes of it.',
  ),
  server: server.prefault({}),
  identity,
  downstreams: z
    .record(z.string().regex(DOWNSTREAM_NAME, { error: 'a name of letters, digits, - and _' }), downstream, {
      error: 'a map of downstream APIs by name',
    })
    .describe('The APIs behind the gateway, by name.'),
  nativeAuth: nativeAuth.optional(),
  mcp: mcp.optional(),
  authorizationService: authorizationService.optional(),
  tokenCache: z
    .strictObject({
      maxSessions: wholeNumber(1, 5_000_000)
        .optional()
        .describe('How many callers are remembered at most. Default: what fits in memory, at most 100000.'),
      redis: redis.optional().describe('A second level, shared by all replicas; it survives restarts.'),
    })
    .prefault({}),
  log: log.prefault({}).describe('The log on standard output.'),
});

/** The same for an application, which needs a contract only where it proxies. */
export const applicationSchema = gatewaySchema.extend({ contract: contractSchema.optional() });

/** gateway.yaml with the defaults of its keys: durations in milliseconds, sizes in bytes. */
export type GatewaySettings = z.output<typeof applicationSchema>;

/** What gateway.yaml says of the downstreams, by name. */
export type DownstreamsSettings = GatewaySettings['downstreams'];

/** The JSON Schema of gateway.yaml, for editors. */
export function toJsonSchema(): Record<string, unknown> {
  return {
    title: 'gateway.yaml of obo-gateway',
    ...z.toJSONSchema(gatewaySchema, { io: 'input', unrepresentable: 'any' }),
  };
}

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Application } from 'express';
import { mountApi } from './app.ts';
import { BUILD } from './runtime/build.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { SigningKeys } from './auth/signing-keys.ts';
import { BodyMemory, roomForBodies } from './request/body-memory.ts';
import { peerAddress } from './request/client-address.ts';
import { StepUpLoop } from './challenge/step-up-loop.ts';
import { formatChallenge, type ChallengeFrame } from './challenge/www-authenticate.ts';
import { namePublicUrl } from './config/fill-defaults.ts';
import type { GatewayConfig } from './config/load-config.ts';
import { toNetworks } from './config/schema.ts';
import { logNotices } from './contract/log-notices.ts';
import { createPublicAddresses } from './contract/public-address.ts';
import { DocumentationPage } from './documentation/documentation-page.ts';
import { describePage } from './documentation/page-settings.ts';
import { Authority } from './entra/authority.ts';
import { EntraHttpClient } from './entra/http-client.ts';
import { createCredentialSource } from './exchange/client-credential.ts';
import { readCredentialExpiry } from './exchange/credential-expiry.ts';
import { EXCHANGE_OUTCOMES } from './exchange/entra-tokens.ts';
import { recordExchange } from './exchange/exchange-event.ts';
import { EntraTokenClient } from './exchange/entra-token-client.ts';
import { assembleExchange } from './exchange/assemble-exchange.ts';
import { GatewayError } from './failures.ts';
import { createHeapLimit } from './runtime/v8-heap.ts';
import { Downstream } from './forward/downstream.ts';
import { compileFixedQuery } from './forward/fixed-query.ts';
import { createRequestHeaderSelection } from './forward/request-headers.ts';
import { answerFailureOnSocket } from './http/answer-failure.ts';
import type { ParserFault } from './http/connection.ts';
import { publishContract } from './http/contract-documents.ts';
import { CorsPolicy } from './http/cors.ts';
import { drain } from './http/drain.ts';
import { ListenError } from './http/listen-error.ts';
import { startManagement, type Management, type ManagementOptions } from './http/management-app.ts';
import { createResourceMetadata, metadataPath } from './http/resource-metadata.ts';
import { createPageHeaders, createSecurityHeaders, type SecurityHeaders } from './http/security-headers.ts';
import { createAppServer, listen, type AppServer } from './http/server.ts';
import { toUrl } from './network/to-url.ts';
import type { Steps } from './journey.ts';
import { monotonicMs as processClock, type Clock } from './resilience/clock.ts';
import { NativeAuth } from './native-auth/native-auth.ts';
import { SessionStore } from './session/session-store.ts';
import { createSteps, type CallableDownstream, type DownstreamBinding } from './steps.ts';
import { openAudit } from './telemetry/audit-output.ts';
import { createEventLog } from './telemetry/events.ts';
import { countDroppedLines, createLogger, type Logger } from './telemetry/logger.ts';
import { Metrics, type KnownLabels, type MetricsSnapshot } from './telemetry/metrics.ts';
import { createRequestLog } from './telemetry/request-log.ts';
import { openStandardOutput } from './telemetry/standard-output.ts';
import { REDIS_OPERATIONS, REDIS_OUTCOMES } from './redis/command-circuit.ts';
import { LOOKUP_OUTCOMES, RedisTokenStore } from './redis/redis-token-store.ts';

/** A gateway that can be started once and stopped once. */
export interface Gateway {
  /**
   * Listens on both ports. It does not wait for the signing keys of Entra: `/readyz` says when they are here.
   *
   * @throws {ListenError} when it cannot listen on a port
   */
  start(): Promise<{ readonly url: string; readonly managementUrl: string }>;
  /**
   * Takes requests for another `server.drainDelay`, while `/readyz` says 503. Then it accepts no more, lets those in
   * flight finish within `server.drainTimeout`, and closes everything.
   */
  stop(): Promise<void>;
}

/** The API of one process, without the listener of the operators; it can be started once and stopped once. */
export interface Api extends ManagementOptions {
  /**
   * Listens for callers.
   *
   * @returns the address
   * @throws {ListenError} when it cannot listen on the port
   */
  start(): Promise<string>;
  /**
   * Takes requests for another `server.drainDelay`, while `/readyz` says 503. Then it accepts no more, lets those in
   * flight finish within `server.drainTimeout`, and closes everything.
   */
  stop(): Promise<void>;
  readonly whyNotReady: () => string | undefined;
  /** The metrics as they are now, to be added to those of other processes. */
  readonly readMetrics: () => Promise<MetricsSnapshot>;
}

/** Parts of a gateway that a test or a demo replaces. */
export interface GatewayOptions {
  readonly logger?: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** The clock on which pauses are measured; default: that of the process. */
  readonly monotonicMs?: Clock;
  /** Milliseconds that a request waits for Redis. */
  readonly redisLookupTimeoutMs?: number | undefined;
}

/** Milliseconds from the start of a call to Entra to the end of its answer. */
const ENTRA_DEADLINE_MS = 5_000;

/** Milliseconds between two sweeps of expired sessions. */
const SWEEP_INTERVAL_MS = 1_000;

/** What the log says when this process can open neither files nor connections. */
const NO_DESCRIPTORS = {
  reason: 'this process has no file descriptor left',
  remedy: 'Raise the limit of open files (ulimit -n), or lower server.maxConnections below it.',
};

/** Makes a gateway of one process from its configuration. */
export function createGateway(config: GatewayConfig, options: GatewayOptions = {}): Gateway {
  const { logger = openLog(config) } = options;
  const api = createApi(config, { ...options, logger });
  let management: Management | undefined;
  return {
    async start() {
      logNotices(config.contract, logger);
      management = await startManagement(config.server.management, api);
      const url = await api.start();
      logger.info({ url, managementUrl: management.url, ...BUILD }, 'gateway started');
      return { url, managementUrl: management.url };
    },
    async stop() {
      // The probes answer until the last request is done, so that they tell why no new ones are taken.
      await api.stop();
      await management?.close();
    },
  };
}

/** Makes the API of one process: everything is built, then the port is opened, and then callers are served. */
export function createApi(config: GatewayConfig, options: GatewayOptions = {}): Api {
  const parts = build(config, options);
  const { keys, sessions, metrics, redis, client, audit } = parts;
  let listener: AppServer | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let isDraining = false;

  return {
    async start() {
      // Redis opens before the port: after a rollout all callers come at once, and each whose token is not yet found
      // there would cost an exchange.
      await redis?.open();
      if (isDraining) {
        throw new ListenError('stopped before it listened');
      }
      let site: Site | undefined;
      listener = createListener(parts, () => site);
      const { host, port } = config.server;
      const address = await listen(listener.server, host, port, 'server.port');
      // Only now is the port known where gateway.yaml leaves it to the system, and with it the public address.
      site = describeSite(namePublicUrl(config.server, address.port), parts);
      serve(listener.app, site, parts);
      keys.start();
      const limitHeap = createHeapLimit();
      sweeping = setInterval(() => {
        sessions.sweep();
        limitHeap(sessions.size);
      }, SWEEP_INTERVAL_MS).unref();
      return toUrl(host, address.port);
    },
    async stop() {
      isDraining = true;
      const { drainDelay: delayMs, drainTimeout: timeoutMs } = config.server;
      await (listener && drain(listener.server, listener.connections, { delayMs, timeoutMs }));
      keys.stop();
      clearInterval(sweeping);
      await Promise.all([...parts.downstreams.values()].map(({ downstream }) => downstream.destroy()));
      parts.http.close();
      redis?.close();
      audit?.close();
    },
    whyNotReady() {
      if (isDraining) {
        return 'draining';
      }
      return keys.isReady ? client.whyNotReady() : 'no signing keys of Entra yet';
    },
    renderMetrics: () => metrics.render(),
    readMetrics: () => metrics.read(),
  };
}

/** The parts of a gateway that are made before its port is known. */
type Parts = ReturnType<typeof build>;

/** Builds every part that does not depend on the address of the gateway. */
function build(config: GatewayConfig, options: GatewayOptions) {
  const { logger = openLog(config), now = Date.now, monotonicMs = processClock } = options;
  const { server, identity, tokenCache } = config;
  const clocks = { now, monotonicMs };
  const authority = new Authority(identity.authority, identity.tenant);
  const trustedProxies = server.trustedProxies.length === 0 ? undefined : toNetworks(server.trustedProxies);
  const http = new EntraHttpClient(ENTRA_DEADLINE_MS);
  const { audit, recordEvent, metrics } = openReports(config, logger);
  const keys = new SigningKeys({
    authority,
    http,
    monotonicMs,
    log: logger,
    onChange: (change) => recordEvent('keys.changed', change),
  });
  const sessions = new SessionStore(tokenCache.maxSessions, now);
  const bodyMemory = new BodyMemory(roomForBodies(largestHeldBody(config)));
  const redis =
    tokenCache.redis &&
    new RedisTokenStore({
      address: tokenCache.redis,
      clientId: identity.clientId,
      authority: identity.authority,
      ...clocks,
      log: logger,
      recordEvent,
      lookupTimeoutMs: options.redisLookupTimeoutMs,
      onLookup: (outcome) => metrics.recordRedisLookup(outcome),
      onCommand: (operation, outcome, seconds) => metrics.recordRedisCommand(operation, outcome, seconds),
    });
  const client = new EntraTokenClient({
    authority,
    clientId: identity.clientId,
    credential: createCredentialSource(identity.credential, authority.tokenExchangeAudience, {
      log: logger,
      recordEvent,
    }),
    http,
    ...clocks,
  });
  const exchange = assembleExchange({
    client,
    authority,
    clientId: identity.clientId,
    consentRedirectUri: identity.consentRedirectUri,
    redis,
    ...clocks,
    log: logger,
    onExchange(report) {
      metrics.recordExchange(report.downstream, report.outcome, report.seconds);
      recordExchange(report, recordEvent);
    },
  });
  const nativeAuth =
    config.nativeAuth &&
    new NativeAuth({
      ...config.nativeAuth,
      tenantUrl: authority.tenantUrl,
      trustedProxies,
      http,
      bodyMemory,
      ...clocks,
    });
  const downstreams = createDownstreams(config, monotonicMs);
  const cors = new CorsPolicy(server.cors.origins, server.cors.exposedHeaders);
  const toEntra = { authority, http, keys, client, exchange, nativeAuth };
  const parts = {
    config,
    logger,
    audit,
    clocks,
    metrics,
    sessions,
    trustedProxies,
    bodyMemory,
    redis,
    downstreams,
    cors,
    ...toEntra,
  };
  watchState(parts);
  return parts;
}

/** Shows the state of the parts in the metrics. */
function watchState({ config, metrics, sessions, keys, exchange, downstreams, redis }: Parts): void {
  const { tenant, allowedTenants, credential } = config.identity;
  const tenants = tenant === 'organizations' ? allowedTenants : [tenant];
  metrics.watch({
    countSessions: () => sessions.size,
    signingKeysAgeMs: () => keys.ageMs,
    readCredentialExpiry: () => readCredentialExpiry(credential),
    watchCircuits: () => [
      ...exchange.watchCircuits(tenants),
      ...[...downstreams.values()].map(({ downstream: { name, circuit } }) => circuit.watch(`downstream:${name}`)),
      ...(redis?.watchCircuits() ?? []),
    ],
  });
}

/** Opens what tells operators of the gateway besides its log: the audit log with its events, and the metrics. */
function openReports({ log, ...config }: GatewayConfig, logger: Logger) {
  const output = { ...log, bindings: logger.bindings(), destination: 'log.audit' };
  const audit = log.audit === undefined ? undefined : openAudit(log.audit, output);
  const countDropped = (): number => countDroppedLines(logger) + (audit?.output.droppedLines ?? 0);
  return {
    audit,
    recordEvent: createEventLog(logger, audit?.output),
    metrics: new Metrics(listKnownLabels(config), countDropped),
  };
}

function openLog({ log }: GatewayConfig): Logger {
  return createLogger(openStandardOutput(log), log.level);
}

function listKnownLabels({ downstreams, tokenCache }: Pick<GatewayConfig, 'downstreams' | 'tokenCache'>): KnownLabels {
  return {
    downstreams: Object.keys(downstreams),
    exchangeOutcomes: EXCHANGE_OUTCOMES,
    redis: tokenCache.redis && { operations: REDIS_OPERATIONS, outcomes: REDIS_OUTCOMES, lookups: LOOKUP_OUTCOMES },
  };
}

/** Bytes of the largest body that is read as a whole, because something of it is checked. */
function largestHeldBody({ server, contract }: GatewayConfig): number {
  const own = contract.operations.map(({ body, bodyLimitBytes = 0 }) => (body === undefined ? 0 : bodyLimitBytes));
  return own.reduce((largest, bytes) => Math.max(largest, bytes), server.bodyLimit);
}

function createDownstreams({ downstreams }: GatewayConfig, clock: Clock): ReadonlyMap<string, DownstreamBinding> {
  return new Map(
    Object.entries(downstreams).map(([name, settings]) => {
      const { scopes, applicationScope } = settings;
      return [name, { scopes: { name, scopes, applicationScope }, downstream: new Downstream(name, settings, clock) }];
    }),
  );
}

/** What depends on the address by which callers reach the gateway. */
interface Site {
  /** The address itself, as gateway.yaml writes it. */
  readonly resource: string;
  readonly publicUrl: URL;
  readonly frame: ChallengeFrame;
  readonly security: SecurityHeaders;
}

function describeSite(resource: string, { config, keys, authority }: Parts): Site {
  const publicUrl = new URL(resource);
  return {
    resource,
    publicUrl,
    frame: {
      // Read for each challenge, because the metadata of Entra may arrive after the first requests.
      get authorizationUri() {
        return authority.challengeUri(keys.issuerOf('v2', config.identity.tenant));
      },
      clientId: config.identity.clientId,
      resourceMetadata: `${publicUrl.origin}${metadataPath(publicUrl)}`,
    },
    security: createSecurityHeaders(publicUrl),
  };
}

/** Makes the server for callers, and answers bytes that cannot be read as a request. */
function createListener(parts: Parts, siteOf: () => Site | undefined): AppServer {
  const { logger, metrics, nativeAuth } = parts;
  const { headLimit, keepAlive, maxConnections } = parts.config.server;
  return createAppServer(refuseUnparsed, {
    headLimitBytes: headLimit,
    keepAliveMs: keepAlive ?? 0,
    maxConnections,
    onDescriptorsExhausted: () => logger.error(NO_DESCRIPTORS, 'connections are dropped'),
  });

  function refuseUnparsed(socket: Socket, fault: ParserFault, head: string): void {
    const site = siteOf();
    if (site === undefined) {
      socket.destroy();
      return;
    }
    // With CORS headers, so that a page can read the answer: that its token grew too large, for example.
    const origin = /^origin: *(\S+)/im.exec(head)?.[1];
    const requestId = randomUUID();
    const cors = nativeAuth?.cors.allows(origin) === true ? nativeAuth.cors : parts.cors;
    const ownHeaders = ['x-request-id', requestId, ...cors.headersFor(origin), ...site.security.own];
    const place = { frame: site.frame, requestId, instance: '/', ownHeaders };
    const failure = new GatewayError(fault);
    answerFailureOnSocket(socket, failure, place);
    metrics.recordProblem(failure.code);
    const { code, rule } = failure;
    logger.info({ requestId, code, status: rule.status, clientAddress: peerAddress({ socket }) }, 'unreadable request');
  }
}

/** Gives an application the API at its address. */
function serve(app: Application, site: Site, parts: Parts): void {
  const { config, logger, metrics, authority, keys, cors, nativeAuth } = parts;
  const { server, identity, contract } = config;
  const { resource, publicUrl, frame, security } = site;
  const { requests } = config.log;
  const logRequest = createRequestLog(logger, {
    requests,
    audit: parts.audit?.output,
    trustedProxies: parts.trustedProxies,
  });
  mountApi(app, {
    steps: bindSteps(site, parts),
    cors,
    headLimitBytes: server.headLimit,
    maxInFlight: server.maxInFlight,
    inFlight: metrics.inFlight,
    security,
    frame,
    documents: publishContract(contract, { publicUrl: resource, authority }),
    metadataPath: metadataPath(publicUrl),
    metadata: () =>
      createResourceMetadata({
        publicUrl: resource,
        issuer: authority.nameIssuer(keys.issuerOf('v2', identity.tenant)),
        name: contract.title,
        scopes: contract.scopes,
      }),
    nativeAuth,
    documentation: createDocumentation(site, parts),
    onRequest(req, record) {
      logRequest(req, record);
      metrics.recordRequest(req, record);
    },
  });
}

function createDocumentation({ resource, publicUrl }: Site, parts: Parts): DocumentationPage | undefined {
  const { config, authority } = parts;
  return config.server.docs === false
    ? undefined
    : new DocumentationPage(describePage(config, resource, authority), createPageHeaders(publicUrl, authority.origin));
}

function bindSteps({ publicUrl, frame, security }: Site, parts: Parts): Steps {
  const { config, logger, clocks, keys, sessions, cors, bodyMemory, exchange } = parts;
  const { server, identity, contract, downstreams } = config;
  return createSteps({
    routes: contract.routes,
    authenticate: createAuthenticate({ sessions, keys, rules: identity, ...clocks, log: logger }),
    accessLists: { tenants: new Set(identity.allowedTenants), clients: new Set(identity.allowedClients) },
    bodyLimit: server.bodyLimit,
    bodyMemory,
    exchange,
    services: reachDownstreams(publicUrl, parts),
    toPublicAddress: createPublicAddresses({ publicUrl, contract, downstreams }),
    answerHeaders: (origin) => [...cors.headersFor(origin), ...security.proxied],
    bareChallenge: () => formatChallenge(frame, { error: null }),
    challengeRules: {
      loop: new StepUpLoop(clocks.monotonicMs),
      requireClientCapability: identity.requireClientCapability,
    },
  });
}

function reachDownstreams(publicUrl: URL, parts: Parts): ReadonlyMap<string, CallableDownstream> {
  const { config, downstreams, trustedProxies } = parts;
  return new Map(
    [...downstreams].map(([name, service]) => {
      const { headers, query = {} } = config.downstreams[name] ?? {};
      const selectRequestHeaders = createRequestHeaderSelection({
        publicUrl,
        trustedProxies,
        ...(headers && { headers }),
      });
      return [name, { ...service, selectRequestHeaders, addFixedQuery: compileFixedQuery(query) }];
    }),
  );
}

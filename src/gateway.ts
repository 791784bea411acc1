import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { mountApi } from './app.ts';
import { BUILD } from './build.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { SigningKeys } from './auth/signing-keys.ts';
import { BodyMemory, roomForBodies } from './body-memory.ts';
import { checkChallenge } from './challenge/check-challenge.ts';
import { nameScopes } from './challenge/name-scopes.ts';
import { StepUpLoop } from './challenge/step-up-loop.ts';
import { formatChallenge, type ChallengeFrame } from './challenge/www-authenticate.ts';
import { listAudiences } from './config/list-audiences.ts';
import type { GatewayConfig } from './config/load-config.ts';
import { toNetworks } from './config/schema.ts';
import { createPublicAddresses } from './contract/public-address.ts';
import { Authority } from './entra/authority.ts';
import { EntraHttpClient } from './entra/http-client.ts';
import { createCredentialSource } from './exchange/client-credential.ts';
import { EntraTokenClient } from './exchange/entra-token-client.ts';
import { createExchange } from './exchange/exchange.ts';
import { codeOf, FAILURES, GatewayError } from './failures.ts';
import { createHeapLimit } from './garbage-collection.ts';
import { Downstream } from './forward/downstream.ts';
import { compileFixedQuery } from './forward/fixed-query.ts';
import { createRequestHeaderSelection } from './forward/request-headers.ts';
import { answerFailureOnSocket } from './http/answer-failure.ts';
import type { ParserFault } from './http/connection.ts';
import { CorsPolicy } from './http/cors.ts';
import { drain } from './http/drain.ts';
import { ListenError } from './http/listen-error.ts';
import { startManagement, type Management, type ManagementOptions } from './http/management-app.ts';
import { createResourceMetadata, metadataPath } from './http/resource-metadata.ts';
import { createSecurityHeaders } from './http/security-headers.ts';
import { createAppServer, listen, type AppServer } from './http/server.ts';
import { toUrl } from './http/to-url.ts';
import type { Steps } from './journey.ts';
import { monotonicMs as processClock, type MonotonicClock } from './monotonic-clock.ts';
import { NativeAuth } from './native-auth/native-auth.ts';
import { SessionStore } from './session.ts';
import { createSteps, type Service, type StepOptions } from './steps.ts';
import { countDroppedLines, createLogger, createRequestLog, type Logger } from './telemetry/logger.ts';
import { Metrics, type MetricsSnapshot } from './telemetry/metrics.ts';
import { openStandardOutput } from './telemetry/standard-output.ts';
import { parseRedisAddress } from './token-cache/redis-address.ts';
import { SharedTokens } from './token-cache/shared-tokens.ts';

/** A gateway that can be started once and stopped once. */
export interface Gateway {
  /**
   * Listens on both ports. The signing keys come on their own; `/readyz` says when they are there.
   *
   * @throws {ListenError} when a port cannot be had
   */
  start(): Promise<{ readonly url: string; readonly managementUrl: string }>;
  /**
   * Goes on for `server.drainDelay` while `/readyz` says 503, then stops accepting, finishes what is in flight within
   * `server.drainTimeout`, and lets go of everything.
   */
  stop(): Promise<void>;
}

/** The API of one process, without the listener of the operators; it can be started once and stopped once. */
export interface Api extends ManagementOptions {
  /**
   * Listens for callers.
   *
   * @returns the address
   * @throws {ListenError} when the port cannot be had
   */
  start(): Promise<string>;
  /**
   * Goes on for `server.drainDelay` while `/readyz` says 503, then stops accepting, finishes what is in flight within
   * `server.drainTimeout`, and lets go of everything.
   */
  stop(): Promise<void>;
  readonly whyNotReady: () => string | undefined;
  /** The metrics as they are now, to be added to those of other processes. */
  readonly readMetrics: () => Promise<MetricsSnapshot>;
}

/** What a test or a demo puts in the place of the real thing. */
export interface GatewayOptions {
  readonly logger?: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** What pauses are measured on; default that of the process. */
  readonly monotonicMs?: MonotonicClock;
  /** Milliseconds that a request gives Redis. */
  readonly redisPatience?: number | undefined;
}

/** Milliseconds from the start of a call to Entra to the end of its answer. */
const ENTRA_DEADLINE = 5_000;

/** Milliseconds between two looks at which sessions expired. */
const SWEEP_INTERVAL = 1_000;

/** What the log says when this process can open neither files nor connections. */
const NO_DESCRIPTORS = {
  reason: 'this process has no file descriptor left',
  remedy: 'Raise the limit of open files (ulimit -n), or lower server.maxConnections below it.',
};

/** Makes a gateway of one process from its configuration. */
export function createGateway(config: GatewayConfig, options: GatewayOptions = {}): Gateway {
  const { logger = createLogger(openStandardOutput(config.log)) } = options;
  const api = createApi(config, { ...options, logger });
  let management: Management | undefined;
  return {
    async start() {
      management = await startManagement(config.server.management, api);
      const url = await api.start();
      logger.info({ url, managementUrl: management.url, ...BUILD }, 'gateway started');
      return { url, managementUrl: management.url };
    },
    async stop() {
      // The probes answer until the last request is through, so that everyone sees why there are no new ones.
      await api.stop();
      await management?.close();
    },
  };
}

/** Makes the API of one process: this is where everything is put together. */
export function createApi(config: GatewayConfig, options: GatewayOptions = {}): Api {
  const { logger = createLogger(openStandardOutput(config.log)), now = Date.now, monotonicMs = processClock } = options;
  const { server: settings, identity, contract } = config;
  const authority = new Authority(identity.authority, identity.tenant);
  const trustedProxies = settings.trustedProxies.length === 0 ? undefined : toNetworks(settings.trustedProxies);
  const http = new EntraHttpClient(ENTRA_DEADLINE);
  const keys = new SigningKeys({ authority, http, monotonicMs, log: logger });
  const sessions = new SessionStore(config.tokenCache.maxSessions, now);
  const metrics = new Metrics({
    countSessions: () => sessions.size,
    countDroppedLines: () => countDroppedLines(logger),
  });
  const logRequest = createRequestLog(logger);
  const services = createServices(config, authority, monotonicMs);
  const bodyMemory = new BodyMemory(roomForBodies(settings.bodyLimit));
  const redis = config.tokenCache.redis;
  const shared =
    redis &&
    new SharedTokens({
      address: parseRedisAddress(redis.url),
      clientId: identity.clientId,
      authority: identity.authority,
      now,
      monotonicMs,
      log: logger,
      patience: options.redisPatience,
      onLookup: (outcome) => metrics.recordSharedLookup(outcome),
    });
  const client = new EntraTokenClient({
    authority,
    clientId: identity.clientId,
    credential: createCredentialSource(identity.credential, authority.tokenExchangeAudience),
    http,
    now,
    monotonicMs,
  });
  let api: AppServer | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let isDraining = false;

  return {
    async start() {
      // First, or the callers of before would come too early for it: after a rollout that is a wave of exchanges.
      await shared?.open();
      if (isDraining) {
        throw new ListenError('stopped before it listened');
      }
      const url = await startApi();
      keys.start();
      const limitHeap = createHeapLimit();
      sweeping = setInterval(() => {
        sessions.sweep();
        limitHeap(sessions.size);
      }, SWEEP_INTERVAL).unref();
      return url;
    },
    async stop() {
      isDraining = true;
      const { drainDelay: delayMs, drainTimeout: timeoutMs } = settings;
      await (api && drain(api.server, api.connections, { delayMs, timeoutMs }));
      keys.stop();
      clearInterval(sweeping);
      await Promise.all([...services.values()].map(({ downstream }) => downstream.destroy()));
      http.close();
      shared?.close();
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

  async function startApi(): Promise<string> {
    const { host, port } = settings;
    api = createAppServer((socket, fault, head) => refuseUnparsed(socket, fault, head), {
      headLimitBytes: settings.headLimit,
      keepAliveMs: settings.keepAlive ?? 0,
      maxConnections: settings.maxConnections,
      onDescriptorsExhausted: () => logger.error(NO_DESCRIPTORS, 'connections are dropped'),
    });
    const { app, server } = api;
    const address = await listen(server, host, port, 'server.port');
    // Only now is a port known that was left to the system, and with it the public address.
    const url = toUrl(host, address.port);
    const publicUrl = settings.publicUrl ?? url;
    // What Entra says of itself comes later than the first requests.
    const issuer = (): string => keys.issuerOf('v2', identity.tenant);
    const frame: ChallengeFrame = {
      get authorizationUri() {
        return authority.challengeUri(issuer());
      },
      clientId: identity.clientId,
      resourceMetadata: `${new URL(publicUrl).origin}${metadataPath(new URL(publicUrl))}`,
    };
    const security = createSecurityHeaders(new URL(publicUrl));
    const cors = new CorsPolicy(settings.cors.origins, settings.cors.exposedHeaders);
    const nativeAuth = createNativeAuth();
    const challengeRules = {
      loop: new StepUpLoop(monotonicMs),
      requireClientCapability: identity.requireClientCapability,
    };
    mountApi(app, {
      steps: composeSteps({
        publicUrl: new URL(publicUrl),
        bareChallenge: () => formatChallenge(frame, { error: null }),
        answerHeaders: (origin) => [...cors.headersFor(origin), ...security.proxied],
      }),
      checkChallenge: (error, record) => checkChallenge(nameScopes(error, record.access), record, challengeRules),
      cors,
      headLimitBytes: settings.headLimit,
      maxInFlight: settings.maxInFlight,
      security,
      frame,
      contract: contract.published,
      metadataPath: metadataPath(new URL(publicUrl)),
      metadata: () =>
        createResourceMetadata({
          publicUrl,
          issuer: authority.nameIssuer(issuer()),
          name: contract.title,
          scopes: contract.scopes,
        }),
      nativeAuth,
      onRequest(req, record) {
        const { principal, operation, failure } = record;
        if (principal !== undefined && operation !== undefined && failure === undefined) {
          challengeRules.loop.forget(principal, operation);
        }
        logRequest(req, record);
        metrics.recordRequest(req, record);
      },
    });
    return url;

    function refuseUnparsed(socket: Socket, fault: ParserFault, head: string): void {
      // So that a page can read, for one, that its token grew too large.
      const origin = /^origin: *(\S+)/im.exec(head)?.[1];
      const requestId = randomUUID();
      const policy = nativeAuth?.cors.allows(origin) === true ? nativeAuth.cors : cors;
      const ownHeaders = ['x-request-id', requestId, ...policy.headersFor(origin), ...security.own];
      answerFailureOnSocket(socket, new GatewayError(fault), { frame, requestId, instance: '/', ownHeaders });
      metrics.recordProblem(fault);
      logger.info({ requestId, code: codeOf(fault), status: FAILURES[fault].status }, 'unreadable request');
    }
  }

  function createNativeAuth(): NativeAuth | undefined {
    const { nativeAuth } = config;
    return (
      nativeAuth &&
      new NativeAuth({
        ...nativeAuth,
        origins: nativeAuth.origins ?? settings.cors.origins,
        tenantUrl: authority.tenantUrl,
        trustedProxies,
        http,
        bodyMemory,
        now,
        monotonicMs,
      })
    );
  }

  function composeSteps(site: Pick<StepOptions, 'answerHeaders' | 'bareChallenge'> & { publicUrl: URL }): Steps {
    const { clientId, consentRedirectUri } = identity;
    return createSteps({
      routes: contract.routes,
      authenticate: createAuthenticate({
        sessions,
        keys,
        rules: {
          audiences: listAudiences(identity),
          tenant: identity.tenant,
          clockTolerance: identity.clockTolerance,
          boundTokens: identity.boundTokens,
        },
        now,
        monotonicMs,
        log: logger,
      }),
      accessLists: {
        tenants: new Set(identity.allowedTenants),
        clients: new Set(identity.allowedClients.map((id) => id.toLowerCase())),
      },
      bodyLimit: settings.bodyLimit,
      bodyMemory,
      exchange: createExchange({
        client,
        authority,
        clientId,
        consentRedirectUri,
        shared,
        now,
        monotonicMs,
        log: logger,
        onExchange: (downstream, outcome, seconds) => metrics.recordExchange(downstream, outcome, seconds),
      }),
      services: new Map(
        [...services].map(([name, service]) => {
          const { headers, query = {} } = config.downstreams[name] ?? {};
          const selectRequestHeaders = createRequestHeaderSelection({
            publicUrl: site.publicUrl,
            trustedProxies,
            ...(headers && { headers }),
          });
          return [name, { ...service, selectRequestHeaders, addFixedQuery: compileFixedQuery(query) }];
        }),
      ),
      toPublicAddress: createPublicAddresses({
        publicUrl: site.publicUrl,
        contract,
        downstreams: config.downstreams,
      }),
      answerHeaders: site.answerHeaders,
      bareChallenge: site.bareChallenge,
    });
  }
}

function createServices(
  { downstreams }: GatewayConfig,
  authority: Authority,
  monotonicMs: MonotonicClock,
): ReadonlyMap<string, Service> {
  return new Map(
    Object.entries(downstreams).map(([name, settings]) => {
      const scopes = settings.scopes.map((scope) => authority.qualifyScope(scope));
      const applicationScope = `${authority.resourceOf(scopes[0] ?? '')}/.default`;
      const downstream = new Downstream(name, settings, monotonicMs);
      return [name, { target: { name, scopes, applicationScope }, downstream }];
    }),
  );
}

import { isDeepStrictEqual } from 'node:util';
import { SigningKeys } from '../auth/signing-keys.ts';
import { StepUpLoop } from '../challenge/step-up-loop.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { logNotices } from '../contract/log-notices.ts';
import { Authority } from '../entra/authority.ts';
import { EntraHttpClient } from '../entra/http-client.ts';
import { assembleExchange, type Exchange } from '../exchange/assemble-exchange.ts';
import { createCredentialSource } from '../exchange/client-credential.ts';
import { readCredentialExpiry } from '../exchange/credential-expiry.ts';
import { EntraTokenClient } from '../exchange/entra-token-client.ts';
import { EXCHANGE_OUTCOMES } from '../exchange/entra-tokens.ts';
import { createRedisTokenFetch } from '../exchange/redis-token.ts';
import { recordExchange } from '../exchange/exchange-event.ts';
import { ListenerTls } from '../http/listener-tls.ts';
import { REDIS_OPERATIONS, REDIS_OUTCOMES } from '../redis/command-circuit.ts';
import { LOOKUP_OUTCOMES, RedisTokenStore } from '../redis/redis-token-store.ts';
import { BodyMemory } from '../request/body-memory.ts';
import { monotonicMs as processClock, type Clock } from '../resilience/clock.ts';
import { SessionStore } from '../session/session-store.ts';
import { AuditLog } from '../telemetry/audit-log.ts';
import { CredentialLog } from '../telemetry/credential-log.ts';
import { createEventLog, type RecordEvent } from '../telemetry/events.ts';
import { adaptLogger, countDroppedLines, type Logger } from '../telemetry/logger.ts';
import { Metrics, type KnownLabels } from '../telemetry/metrics.ts';
import { openLog } from '../telemetry/open-log.ts';
import type { OpenTelemetry } from '../telemetry/otlp/open-telemetry.ts';
import type { Tracing } from '../telemetry/otlp/tracing.ts';
import type { MemoryGuard } from '../runtime/memory-guard.ts';
import { reachable, type Downstreams } from './downstreams.ts';
import { guardMemory } from './guard-memory.ts';

/** Parts of a gateway that a test or a demo replaces. */
export interface CoreOptions {
  readonly logger?: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** The clock on which pauses are measured; default: that of the process. */
  readonly monotonicMs?: Clock;
  /** Milliseconds that a request waits for Redis. */
  readonly redisLookupTimeoutMs?: number | undefined;
  /** What `loadOpenTelemetry` loaded for the configuration; without it nothing is sent by OTLP. */
  readonly openTelemetry?: OpenTelemetry | undefined;
  /** True in the process of an application, whose heap is its own business; default false. */
  readonly sharesProcess?: boolean;
}

/** What counts now of what a reload can replace. */
export interface Current {
  readonly config: GatewayConfig;
  readonly downstreams: Downstreams;
}

/** Milliseconds from the start of a call to Entra to the end of its answer. */
const ENTRA_DEADLINE_MS = 5_000;

/** The parts that last as long as the gateway runs, whatever its configuration becomes. */
export interface Core {
  readonly logger: Logger;
  /** The second destination of events. */
  readonly audit: AuditLog;
  readonly recordEvent: RecordEvent;
  readonly metrics: Metrics;
  /** Absent unless traces are sent. */
  readonly tracing: Tracing | undefined;
  readonly clocks: { readonly now: Clock; readonly monotonicMs: Clock };
  /** That of the gateway itself. */
  readonly clientId: string;
  readonly authority: Authority;
  readonly http: EntraHttpClient;
  readonly keys: SigningKeys;
  readonly client: EntraTokenClient;
  readonly exchange: Exchange;
  /** The second level; absent where Redis is not used. */
  readonly redis: RedisTokenStore | undefined;
  readonly sessions: SessionStore;
  readonly loop: StepUpLoop;
  readonly bodyMemory: BodyMemory;
  /** Keeps the process below its memory limit. */
  readonly memoryGuard: MemoryGuard;
  /** The certificate of the listener; absent without TLS. */
  readonly tls: ListenerTls | undefined;
  /** That of the listener for engines. */
  readonly authorizationTls: ListenerTls | undefined;
}

/**
 * Makes the parts that last as long as the gateway runs: the log and the metrics, the sessions, the keys and the client
 * of Entra, the exchange, Redis. Of the configuration they use what only a restart changes; what else they need of it,
 * they ask `current` for each time.
 */
export function createCore(config: GatewayConfig, options: CoreOptions, current: () => Current): Core {
  const { logger = openLog(config.log, options), now = Date.now, monotonicMs = processClock, openTelemetry } = options;
  const { identity, tokenCache } = config;
  const { clientId } = identity;
  const clocks = { now, monotonicMs };
  const authority = new Authority(identity.authority, identity.tenant);
  const http = new EntraHttpClient(ENTRA_DEADLINE_MS);
  const { audit, recordEvent, metrics } = openReports(config, logger);
  const tracing = openTelemetry?.tracing;
  openTelemetry?.begin(logger, () => metrics.read());
  const keys = new SigningKeys({
    authority,
    http,
    monotonicMs,
    log: logger,
    onChange: (change) => recordEvent('keys.changed', change),
  });
  const toEntra = {
    authority,
    clientId,
    credential: createCredentialSource(identity.credential, authority.tokenExchangeAudience, {
      log: logger,
      recordEvent,
    }),
    http,
    ...clocks,
  };
  const client = new EntraTokenClient(toEntra);
  const redis =
    tokenCache.redis &&
    new RedisTokenStore({
      address: tokenCache.redis,
      clientId,
      authority: identity.authority,
      ...clocks,
      log: logger,
      recordEvent,
      lookupTimeoutMs: options.redisLookupTimeoutMs,
      fetchToken: createRedisTokenFetch(toEntra),
      onLookup: (outcome) => metrics.recordRedisLookup(outcome),
      onCommand(operation, outcome, seconds) {
        metrics.recordRedisCommand(operation, outcome, seconds);
        tracing?.recordRedis(operation, outcome, seconds);
      },
    });
  const exchange = assembleExchange({
    client,
    authority,
    clientId,
    consentRedirectUri: () => current().config.identity.consentRedirectUri,
    redis,
    ...clocks,
    log: logger,
    onExchange(report) {
      metrics.recordExchange(report.downstream, report.outcome, report.seconds);
      recordExchange(report, recordEvent);
    },
  });
  const sessions = new SessionStore(tokenCache.maxSessions, now);
  const memoryGuard = guardMemory(
    config.memory.processBytes,
    { logger, sessions, clocks },
    options.sharesProcess === true,
  );
  const core = {
    logger,
    audit,
    recordEvent,
    metrics,
    tracing,
    clocks,
    clientId,
    authority,
    http,
    keys,
    client,
    exchange,
    redis,
    sessions,
    loop: new StepUpLoop(monotonicMs),
    bodyMemory: new BodyMemory(config.memory.bodyRoomBytes, (bytes) => memoryGuard.hasRoomFor(bytes)),
    memoryGuard,
    tls: openTls('server.tls', config.server.tls),
    authorizationTls: openTls('authorizationService.tls', config.authorizationService?.tls),
  };
  watchState(core, current);
  return core;

  function openTls(key: string, settings: GatewayConfig['server']['tls']): ListenerTls | undefined {
    return settings && new ListenerTls(settings, now, new CredentialLog({ log: logger, recordEvent }, key));
  }
}

/**
 * Lets the core follow another configuration in what counts at once.
 *
 * @throws {ConfigError} when the audit log cannot be opened; then nothing has changed
 */
export function adaptCore(
  { audit, logger, metrics, bodyMemory }: Core,
  before: GatewayConfig,
  next: GatewayConfig,
): void {
  if (before.log.audit !== next.log.audit || before.log.whenBlocked !== next.log.whenBlocked) {
    audit.reopen(next.log);
  }
  // A logger that was given to us has a level of its own, until gateway.yaml changes it.
  if (before.log.level !== next.log.level || before.log.whenBlocked !== next.log.whenBlocked) {
    adaptLogger(logger, next.log);
  }
  bodyMemory.limit = next.memory.bodyRoomBytes;
  metrics.begin(listKnownLabels(next));
  if (!isDeepStrictEqual(before.contract.notices, next.contract.notices)) {
    logNotices(next.contract, logger);
  }
}

/** Shows the state of the parts in the metrics. */
function watchState({ metrics, sessions, keys, exchange, redis, ...core }: Core, current: () => Current): void {
  metrics.watch({
    countSessions: () => sessions.size,
    readSessionsLimit: () => current().config.tokenCache.maxSessions,
    readInFlightLimit: () => current().config.server.maxInFlight,
    signingKeysAgeMs: () => keys.ageMs,
    readCredentialExpiry: () => readCredentialExpiry(current().config.identity.credential),
    tlsCertificateExpirySeconds() {
      const ends = [core.tls, core.authorizationTls].flatMap((tls) => tls?.expirySeconds ?? []);
      return ends.length === 0 ? undefined : Math.min(...ends);
    },
    watchCircuits() {
      const { config, downstreams } = current();
      const { tenant, allowedTenants } = config.identity;
      return [
        ...exchange.watchCircuits(tenant === 'organizations' ? allowedTenants : [tenant]),
        ...reachable(downstreams).map(({ name, circuit }) => circuit.watch(`downstream:${name}`)),
        ...(redis?.watchCircuits() ?? []),
      ];
    },
  });
}

/** Opens what tells operators of the gateway besides its log: the audit log with its events, and the metrics. */
function openReports({ log, ...config }: GatewayConfig, logger: Logger) {
  const audit = new AuditLog(log, logger.bindings());
  const countDropped = (): number => countDroppedLines(logger) + audit.droppedLines;
  return {
    audit,
    recordEvent: createEventLog(logger, audit),
    metrics: new Metrics(listKnownLabels(config), countDropped),
  };
}

function listKnownLabels({ downstreams, tokenCache }: Pick<GatewayConfig, 'downstreams' | 'tokenCache'>): KnownLabels {
  return {
    downstreams: Object.keys(downstreams),
    exchangeOutcomes: EXCHANGE_OUTCOMES,
    redis: tokenCache.redis && { operations: REDIS_OPERATIONS, outcomes: REDIS_OUTCOMES, lookups: LOOKUP_OUTCOMES },
  };
}

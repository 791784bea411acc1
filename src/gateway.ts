import { getHeapStatistics } from 'node:v8';
import { adaptCore, createCore, type Core, type CoreOptions, type Current } from './composition/core.ts';
import { deploy, type Deployment } from './composition/deployment.ts';
import { DownstreamUse, openDownstreams } from './composition/downstreams.ts';
import { createAuthorizationListener, createListener, limitsOf } from './composition/listener.ts';
import { loadAhead } from './composition/load-ahead.ts';
import { startNotices } from './composition/notices.ts';
import { nameAuthorizationService, namePublicUrl } from './config/fill-defaults.ts';
import type { ConfigChange } from './config/config-files.ts';
import type { GatewayConfig } from './config/load-config.ts';
import { listReloadable } from './config/reloading.ts';
import { describeMemory } from './config/plan-memory.ts';
import { drain } from './http/drain.ts';
import { ListenError } from './http/listen-error.ts';
import { startManagement, type Management, type ManagementOptions } from './http/management-app.ts';
import { listen, type HttpServer } from './http/server.ts';
import { toUrl } from './network/to-url.ts';
import { BUILD } from './runtime/build.ts';
import { createHeapLimit } from './runtime/v8-heap.ts';
import { reopenAudit } from './telemetry/audit-log.ts';
import type { MetricsSnapshot } from './telemetry/metrics.ts';
import { openLog } from './telemetry/open-log.ts';
import { reportReload, type ReloadReports } from './telemetry/reload-report.ts';
import { reportCutOff, reportStop } from './telemetry/report-stop.ts';

export { loadOpenTelemetry } from './telemetry/otlp/load.ts';

/** Where a gateway listens. */
export interface GatewayAddresses {
  readonly url: string;
  readonly managementUrl: string;
  /** Where engines ask about calls; absent unless gateway.yaml turns it on. */
  readonly authorizationServiceUrl?: string | undefined;
}

/** A gateway that can be started once and stopped once. */
export interface Gateway {
  /**
   * Listens on both ports. It does not wait for the signing keys of Entra: `/readyz` says when they are here.
   *
   * @throws {ListenError} when it cannot listen on a port
   */
  start(): Promise<GatewayAddresses>;
  /**
   * Opens the audit log anew and puts another configuration into use, without losing a request. When it cannot be used,
   * the one before stays. Either way the log, the audit log and the metrics say how it ended; it never fails. To be called
   * once the gateway has started, and again only once the last call is over.
   *
   * @param read gives the configuration, or throws a {@link ConfigError}
   */
  reload(read: () => Promise<ConfigChange>): Promise<void>;
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
  /** Opens the file of the audit log anew; when it cannot, the log says so. */
  reopenAudit(): void;
  /**
   * Puts another configuration into use: from the next request on it counts, and those under way finish with what they
   * began with. To be called once the API has started.
   *
   * @returns the keys that differ from the configuration before
   * @throws {ConfigError} when it cannot be used, or differs in a key that needs a restart; then nothing has changed
   */
  apply(config: GatewayConfig): readonly string[];
  /** Where it is told how a reload ended. */
  readonly reloadReports: ReloadReports;
  /** Where engines ask about calls, once it has started; `undefined` where gateway.yaml does not turn it on. */
  readonly authorizationServiceUrl: string | undefined;
  readonly whyNotReady: () => string | undefined;
  /** The metrics as they are now, to be added to those of other processes. */
  readonly readMetrics: () => Promise<MetricsSnapshot>;
}

/** Parts of a gateway that a test or a demo replaces. */
export type GatewayOptions = CoreOptions;

/** Milliseconds between two sweeps of expired sessions. */
const SWEEP_INTERVAL_MS = 1_000;

/** Makes a gateway of one process from its configuration. */
export function createGateway(config: GatewayConfig, options: GatewayOptions = {}): Gateway {
  const { logger = openLog(config.log, options) } = options;
  const api = createApi(config, { ...options, logger });
  let management: Management | undefined;
  let endNotices: (() => void) | undefined;
  let running = config;
  return {
    async start() {
      endNotices = startNotices(config, logger, options.now);
      management = await startManagement(config.server.management, api);
      const url = await api.start();
      const memory = describeMemory(config.memory, getHeapStatistics().heap_size_limit);
      const addresses = { url, managementUrl: management.url, authorizationServiceUrl: api.authorizationServiceUrl };
      logger.info({ ...addresses, memory, ...BUILD }, 'gateway started');
      return addresses;
    },
    reload(read) {
      return reportReload(async () => {
        api.reopenAudit();
        const { config: next, needRestart } = await read();
        const changed = api.apply(next);
        running = next;
        return { changed, needRestart };
      }, api.reloadReports);
    },
    async stop() {
      // The probes answer until the last request is done, so that they tell why no new ones are taken.
      endNotices?.();
      await reportStop(logger, running.server, async () => {
        await api.stop();
        await management?.close();
      });
    },
  };
}

/**
 * Makes the API of one process: the core is built, then the port is opened, then the configuration is deployed, and then
 * callers are served.
 */
export function createApi(config: GatewayConfig, options: GatewayOptions = {}): Api {
  const core = createCore(config, options, () => current);
  const { logger, recordEvent, keys, sessions, metrics, redis, client, audit, clocks, memoryGuard } = core;
  const use = new DownstreamUse();
  let current: Current = { config, downstreams: openDownstreams(config, clocks.monotonicMs) };
  let deployment: Deployment | undefined;
  let listener: HttpServer | undefined;
  let engines: EngineListener | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let port = 0;
  let isDraining = false;

  return {
    get authorizationServiceUrl() {
      return engines?.url;
    },
    async start() {
      // Redis opens before the port: after a rollout all callers come at once, and each whose token is not yet found
      // there would cost an exchange.
      await redis?.open();
      if (isDraining) {
        throw new ListenError('stopped before it listened');
      }
      await core.tls?.open();
      await core.authorizationTls?.open('authorizationService.tls');
      listener = createListener(config, core, () => deployment);
      const { host } = config.server;
      // Only now is the port known where gateway.yaml leaves it to the system, and with it the public address.
      ({ port } = await listen(listener.server, host, config.server.port, 'server.port'));
      put(deploy({ ...current, resource: namePublicUrl(config.server, port) }, core), listener);
      engines = await listenForEngines(core, () => deployment);
      keys.start();
      void loadAhead(keys, () => isDraining);
      const limitHeap = createHeapLimit(config.memory.processBytes);
      sweeping = setInterval(() => {
        sessions.sweep();
        limitHeap(sessions.size);
        memoryGuard.check();
      }, SWEEP_INTERVAL_MS).unref();
      return toUrl(host, port, core.tls ? 'https' : 'http');
    },
    reopenAudit: () => reopenAudit(audit, logger),
    apply(next) {
      const changed = listReloadable(current.config, next);
      if (deployment !== undefined && listener !== undefined && changed.length > 0 && !isDraining) {
        replace(deployment, next, listener);
      }
      return changed;
    },
    reloadReports: { log: logger, recordEvent, metrics: metrics.reloads },
    async stop() {
      isDraining = true;
      const { drainDelay: delayMs, drainTimeout: timeoutMs } = current.config.server;
      const listeners = [listener, engines?.listener].filter((each) => each !== undefined);
      const cutOff = await Promise.all(
        listeners.map((each) => drain(each.server, each.connections, { delayMs, timeoutMs })),
      );
      reportCutOff(
        logger,
        cutOff.reduce((all, one) => all + one, 0),
      );
      keys.stop();
      clearInterval(sweeping);
      await use.destroy();
      core.http.close();
      redis?.close();
      audit.close();
      await options.openTelemetry?.close();
    },
    whyNotReady() {
      if (isDraining) {
        return 'draining';
      }
      return keys.isReady ? client.whyNotReady() : 'no signing keys of Entra yet';
    },
    renderMetrics: (format) => metrics.render(format),
    readMetrics: () => metrics.read(),
  };

  /** Takes a configuration into use in the place of another; whatever can fail comes before anything changes. */
  function replace(before: Deployment, next: GatewayConfig, server: HttpServer): void {
    const downstreams = openDownstreams(next, clocks.monotonicMs, before.downstreams);
    const resource = namePublicUrl(next.server, port);
    const after = deploy({ config: next, downstreams, resource, before }, core);
    adaptCore(core, before.config, next);
    put(after, server);
    void Promise.all([before.api.untilIdle(), before.authorizationService?.untilIdle()]).then(() =>
      use.end(before.downstreams),
    );
  }

  /** Lets a deployment count from the next request on. */
  function put(after: Deployment, server: HttpServer): void {
    use.begin(after.downstreams);
    current = after;
    deployment = after;
    server.adapt(limitsOf(after.config));
    engines?.listener.adapt({ ...limitsOf(after.config), proxies: undefined });
  }
}

/** The listener for engines, and where it is. */
interface EngineListener {
  readonly listener: HttpServer;
  readonly url: string;
}

async function listenForEngines(
  core: Core,
  current: () => Deployment | undefined,
): Promise<EngineListener | undefined> {
  const { config, authorizationService } = current() ?? {};
  if (config?.authorizationService === undefined || authorizationService === undefined) {
    return undefined;
  }
  const { host, port } = config.authorizationService;
  const listener = createAuthorizationListener(config, core, current);
  const address = await listen(listener.server, host, port, 'authorizationService.port');
  return { listener, url: nameAuthorizationService(config, address.port) ?? '' };
}

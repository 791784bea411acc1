import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { env, execArgv } from 'node:process';
import { startNotices } from '../composition/notices.ts';
import { BUILD } from '../runtime/build.ts';
import { nameAuthorizationService } from '../config/fill-defaults.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { describeMemory, heapLimitOf, type MemoryPlan } from '../config/plan-memory.ts';
import { listReloadable } from '../config/reloading.ts';
import { ConfigError } from '../failures.ts';
import type { Gateway, GatewayOptions } from '../gateway.ts';
import { startManagement, type Management } from '../http/management-app.ts';
import { listen } from '../http/server.ts';
import { AuditLog, reopenAudit } from '../telemetry/audit-log.ts';
import { createEventLog } from '../telemetry/events.ts';
import { JointMetrics } from '../telemetry/joint-metrics.ts';
import { adaptLogger, countDroppedLines } from '../telemetry/logger.ts';
import type { MetricsFormat, MetricsPage } from '../telemetry/metrics-page.ts';
import { openLog } from '../telemetry/open-log.ts';
import { reportReload } from '../telemetry/reload-report.ts';
import { reportStop } from '../telemetry/report-stop.ts';
import { packPart, WORKER_COMMAND, type PortableConfig } from './messages.ts';
import { SupervisedWorker } from './supervised-worker.ts';

/** Milliseconds that a worker may take to answer a question of the primary. */
const ANSWER_TIMEOUT_MS = 1_000;

const NO_ANSWER = 'no worker answers';

/** Milliseconds past `server.drainDelay` and `server.drainTimeout` in which a worker must have ended by itself. */
const GRACE_MS = 2_000;

/**
 * Makes a gateway of several processes on one port. This process becomes their primary: it hands out the connections,
 * and answers for all of them on the management port.
 *
 * @param count how many processes serve
 * @throws {ConfigError} when this process is itself a worker of another program's cluster, which has only one primary
 */
export function createWorkers(
  config: GatewayConfig,
  count: number,
  options: Pick<GatewayOptions, 'logger' | 'openTelemetry'> = {},
): Gateway {
  const { openTelemetry, logger = openLog(config.log, { openTelemetry }) } = options;
  if (cluster.isWorker) {
    const message = `found ${config.server.workers}; allowed: 1 where another program runs the gateway as a worker of its cluster`;
    throw new ConfigError([{ at: 'server.workers', message }]);
  }
  const audit = new AuditLog(config.log, logger.bindings());
  const metrics = new JointMetrics(() => countDroppedLines(logger) + audit.droppedLines);
  openTelemetry?.begin(logger, () => metrics.readOwn());
  const reports = { log: logger, recordEvent: createEventLog(logger, audit), metrics: metrics.reloads };
  const workers = Array.from(
    { length: count },
    (_, index) =>
      new SupervisedWorker({
        number: index + 1,
        log: logger,
        onEnd: (process) => metrics.end(process.id),
        onRestart: () => metrics.recordRestart(),
      }),
  );
  let management: Management | undefined;
  let endNotices: (() => void) | undefined;
  let running = config;
  let ports: Ports = { api: config.server.port, engines: config.authorizationService?.port };
  let isServing = false;
  let isDraining = false;

  return {
    async start() {
      logger.info({ workers: count, ...BUILD }, 'gateway starts');
      endNotices = startNotices(config, logger);
      management = await startManagement(config.server.management, { whyNotAlive, whyNotReady, renderMetrics });
      ports = await choosePorts(config);
      const url = await startWorkers(workers, toPortable(running, ports));
      isServing = true;
      const memory = describeMemory(config.memory, heapLimitOf(config.memory));
      const authorizationServiceUrl = nameAuthorizationService(config, ports.engines);
      const addresses = { url, managementUrl: management.url, authorizationServiceUrl };
      logger.info({ ...addresses, workers: count, memory, ...BUILD }, 'gateway started');
      return addresses;
    },
    reload(read) {
      return reportReload(async () => {
        reopenAudit(audit, logger);
        await Promise.all(workers.map(async ({ listening }) => listening?.ask('audit', ANSWER_TIMEOUT_MS)));
        const { config: next, needRestart } = await read();
        const changed = listReloadable(running, next);
        if (changed.length > 0 && !isDraining) {
          await follow(next);
        }
        return { changed, needRestart };
      }, reports);
    },
    async stop() {
      isDraining = true;
      endNotices?.();
      const { drainDelay, drainTimeout } = running.server;
      await reportStop(logger, running.server, async () => {
        await Promise.all(workers.map((worker) => worker.stop(drainDelay + drainTimeout + GRACE_MS)));
        await management?.close();
      });
      audit.close();
      await openTelemetry?.close();
    },
  };

  /** One worker after the other, so that the others serve while one reads the contract. */
  async function follow(next: GatewayConfig): Promise<void> {
    audit.reopen(next.log);
    adaptLogger(logger, next.log);
    running = next;
    const portable = toPortable(next, ports);
    for (const worker of workers) {
      await worker.reload(portable);
    }
  }

  /** Workers that start for the first time, and those that are told to stop, do not have to answer. */
  async function whyNotAlive(): Promise<string | undefined> {
    return isServing && !isDraining ? whyNotAnyAlive(workers) : undefined;
  }

  async function whyNotReady(): Promise<string | undefined> {
    return isDraining ? 'draining' : whyNotAnyReady(workers);
  }

  async function renderMetrics(format: MetricsFormat): Promise<MetricsPage> {
    await Promise.all(
      workers.map(async ({ listening }) => {
        const answer = await listening?.ask('metrics', ANSWER_TIMEOUT_MS);
        if (listening !== undefined && answer !== undefined) {
          metrics.record(listening.id, answer.value);
        }
      }),
    );
    return metrics.render(format);
  }
}

async function startWorkers(workers: readonly SupervisedWorker[], portable: PortableConfig): Promise<string> {
  const { memory } = portable;
  // Round robin: the kernel would give most of the connections to the workers that happen to be awake.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // JSON has no NaN, and some metrics have that value.
  cluster.setupPrimary({ args: [WORKER_COMMAND], execArgv: limitHeap(memory), serialization: 'advanced' });
  const starts = await Promise.allSettled(workers.map((worker) => worker.start(portable)));
  const started = starts.find(({ status }) => status === 'fulfilled') ?? starts[0];
  if (started?.status !== 'fulfilled') {
    throw started?.reason;
  }
  return started.value;
}

/**
 * Adds V8's heap limit to the arguments of a worker, whose process V8 would otherwise give the heap of the whole container.
 * A limit that the operator set, in the arguments or in NODE_OPTIONS, counts.
 */
function limitHeap(memory: MemoryPlan): string[] {
  const isSet = `${execArgv.join(' ')} ${env['NODE_OPTIONS'] ?? ''}`.includes('--max-old-space-size');
  const megabytes = heapLimitOf(memory) / 1_024 / 1_024;
  return isSet || memory.setBy === 'machine' ? [...execArgv] : [...execArgv, `--max-old-space-size=${megabytes}`];
}

/** `undefined` as soon as one worker answers. */
async function whyNotAnyAlive(workers: readonly SupervisedWorker[]): Promise<string | undefined> {
  const answers = workers.map(async ({ listening }) => {
    if ((await listening?.ask('pulse', ANSWER_TIMEOUT_MS)) === undefined) {
      throw new Error(NO_ANSWER);
    }
  });
  return Promise.any(answers).then(
    () => undefined,
    () => NO_ANSWER,
  );
}

async function whyNotAnyReady(workers: readonly SupervisedWorker[]): Promise<string | undefined> {
  const ready = workers.map(async ({ listening }) => {
    const answer = await listening?.ask('readiness', ANSWER_TIMEOUT_MS);
    const reason = answer === undefined ? NO_ANSWER : answer.value;
    if (reason !== undefined) {
      throw new Error(reason);
    }
  });
  try {
    // One ready worker is enough, and a stuck one must not delay the answer.
    await Promise.any(ready);
    return undefined;
  } catch (error) {
    const reasons = (error as AggregateError).errors.map(({ message }: Error) => message);
    return reasons.find((reason) => reason !== NO_ANSWER) ?? NO_ANSWER;
  }
}

/** The ports that all workers share. */
interface Ports {
  readonly api: number;
  /** Absent without the listener for engines. */
  readonly engines: number | undefined;
}

/** The configuration for all workers, with the ports that they share. */
function toPortable({ contract, authorizationService, ...settings }: GatewayConfig, ports: Ports): PortableConfig {
  return {
    ...settings,
    server: { ...settings.server, port: ports.api },
    ...(authorizationService && {
      authorizationService: { ...authorizationService, port: ports.engines ?? authorizationService.port },
    }),
    parts: contract.documents.map(packPart),
  };
}

/**
 * Finds free ports now: one that the system chooses for the workers would change after a moment without any of them.
 *
 * @throws {ListenError} naming the key of the port
 */
async function choosePorts({ server, authorizationService }: GatewayConfig): Promise<Ports> {
  return {
    api: await choosePort(server, 'server.port'),
    engines: authorizationService && (await choosePort(authorizationService, 'authorizationService.port')),
  };
}

async function choosePort(
  { host, port }: { readonly host: string; readonly port: number },
  key: string,
): Promise<number> {
  if (port !== 0) {
    return port;
  }
  const server = createServer();
  const address = await listen(server, host, 0, key);
  server.close();
  await once(server, 'close');
  return address.port;
}

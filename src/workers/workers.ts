import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { BUILD } from '../runtime/build.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { logNotices } from '../contract/log-notices.ts';
import { ConfigError } from '../failures.ts';
import type { Gateway, GatewayOptions } from '../gateway.ts';
import { startManagement, type Management } from '../http/management-app.ts';
import { listen } from '../http/server.ts';
import { JointMetrics } from '../telemetry/joint-metrics.ts';
import { countDroppedLines, createLogger } from '../telemetry/logger.ts';
import { openStandardOutput } from '../telemetry/standard-output.ts';
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
  { logger = createLogger(openStandardOutput(config.log), config.log.level) }: Pick<GatewayOptions, 'logger'> = {},
): Gateway {
  if (cluster.isWorker) {
    const message = `found ${config.server.workers}; allowed: 1 where another program runs the gateway as a worker of its cluster`;
    throw new ConfigError([{ at: 'server.workers', message }]);
  }
  const metrics = new JointMetrics(() => countDroppedLines(logger));
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
  let isServing = false;
  let isDraining = false;

  return {
    async start() {
      logger.info({ workers: count, ...BUILD }, 'gateway starts');
      logNotices(config.contract, logger);
      management = await startManagement(config.server.management, { whyNotAlive, whyNotReady, renderMetrics });
      const url = await startWorkers(workers, config);
      isServing = true;
      logger.info({ url, managementUrl: management.url, workers: count, ...BUILD }, 'gateway started');
      return { url, managementUrl: management.url };
    },
    async stop() {
      isDraining = true;
      const { drainDelay, drainTimeout } = config.server;
      await Promise.all(workers.map((worker) => worker.stop(drainDelay + drainTimeout + GRACE_MS)));
      await management?.close();
    },
  };

  /** Workers that start for the first time, and those that are told to stop, do not have to answer. */
  async function whyNotAlive(): Promise<string | undefined> {
    return isServing && !isDraining ? whyNotAnyAlive(workers) : undefined;
  }

  async function whyNotReady(): Promise<string | undefined> {
    return isDraining ? 'draining' : whyNotAnyReady(workers);
  }

  async function renderMetrics(): ReturnType<JointMetrics['render']> {
    await Promise.all(
      workers.map(async ({ listening }) => {
        const answer = await listening?.ask('metrics', ANSWER_TIMEOUT_MS);
        if (listening !== undefined && answer !== undefined) {
          metrics.record(listening.id, answer.value);
        }
      }),
    );
    return metrics.render();
  }
}

async function startWorkers(workers: readonly SupervisedWorker[], config: GatewayConfig): Promise<string> {
  // Round robin: the kernel would give most of the connections to the workers that happen to be awake.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // JSON has no NaN, and some metrics have that value.
  cluster.setupPrimary({ args: [WORKER_COMMAND], serialization: 'advanced' });
  const portable = await toPortable(config);
  const starts = await Promise.allSettled(workers.map((worker) => worker.start(portable)));
  const started = starts.find(({ status }) => status === 'fulfilled') ?? starts[0];
  if (started?.status !== 'fulfilled') {
    throw started?.reason;
  }
  return started.value;
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

/** The configuration for all workers, with the port that they share. */
async function toPortable({ contract, ...settings }: GatewayConfig): Promise<PortableConfig> {
  const { host, port } = settings.server;
  const server = { ...settings.server, port: port === 0 ? await findFreePort(host) : port };
  return { ...settings, server, parts: contract.documents.map(packPart) };
}

/**
 * Finds a free port now: one that the system chooses for the workers would change after a moment without any of them.
 */
async function findFreePort(host: string): Promise<number> {
  const server = createServer();
  const { port } = await listen(server, host, 0, 'server.port');
  server.close();
  await once(server, 'close');
  return port;
}

import cluster from 'node:cluster';
import process from 'node:process';
import type { GatewayConfig } from '../config/load-config.ts';
import { compileContract } from '../contract/contract.ts';
import { ConfigError } from '../failures.ts';
import { createApi, loadOpenTelemetry, type Api } from '../gateway.ts';
import { ListenError } from '../http/listen-error.ts';
import { openLog } from '../telemetry/open-log.ts';
import { unpackPart, type Answers, type FromWorker, type PortableConfig, type ToWorker } from './messages.ts';

/** Serves in this process as the primary says. When the primary is gone, node:cluster ends the process. */
export function runWorker(): void {
  // A terminal and an init system signal every process, but the primary decides when a worker stops: it would replace
  // one that ended by itself.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  // A terminal that is closed signals every process, too; the primary says what a reload brings.
  process.on('SIGHUP', () => {});
  // A message to a primary that is gone cannot be delivered.
  cluster.worker?.on('error', () => process.exit(1));
  let api: Api | undefined;
  process.on('message', (message: ToWorker) => {
    if (message.tell === 'start') {
      void tryCreating(message.config, message.number).then((created) => {
        api = created;
        return created && listen(created);
      });
    } else if (message.tell === 'stop') {
      void end(api);
    } else if (message.about === 'pulse') {
      tell({ tell: 'answer', id: message.id, value: undefined });
    } else if (api !== undefined) {
      void answer(api, message);
    }
  });
  tell({ tell: 'attentive' });
}

/** Tells the primary of what the configuration names and is not there any more, such as the folder of a file. */
async function tryCreating(config: PortableConfig, worker: number): Promise<Api | undefined> {
  try {
    return await createWorkerApi(config, worker);
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    giveUp(error.message);
    return undefined;
  }
}

async function createWorkerApi(portable: PortableConfig, worker: number): Promise<Api> {
  const config = unpackConfig(portable);
  const openTelemetry = await loadOpenTelemetry(config.openTelemetry, worker);
  return createApi(config, { logger: openLog(config.log, { openTelemetry, worker }), openTelemetry });
}

function unpackConfig({ parts, ...settings }: PortableConfig): GatewayConfig {
  const contract = compileContract(parts.map(unpackPart), new Set(Object.keys(settings.downstreams)), []);
  return { ...settings, contract };
}

async function listen(api: Api): Promise<void> {
  try {
    tell({ tell: 'listening', url: await api.start() });
  } catch (error) {
    if (!(error instanceof ListenError)) {
      throw error;
    }
    giveUp(error.message);
  }
}

function giveUp(reason: string): void {
  tell({ tell: 'cannot listen', reason }, () => process.exit(1));
}

async function end(api: Api | undefined): Promise<void> {
  await api?.stop();
  process.exit(0);
}

type Question = Extract<ToWorker, { readonly tell: 'question' }>;

async function answer(api: Api, { id, about, config }: Question): Promise<void> {
  tell({ tell: 'answer', id, value: await find() });

  function find(): Answers[keyof Answers] | Promise<Answers[keyof Answers]> {
    switch (about) {
      case 'readiness':
        return api.whyNotReady();
      case 'metrics':
        return api.readMetrics();
      case 'reload':
        return config && whyNotApplied(api, config);
      case 'audit':
        return api.reopenAudit() as undefined;
      case 'pulse':
        return undefined;
    }
  }
}

/** Follows another configuration, or says why that is not possible. */
function whyNotApplied(api: Api, config: PortableConfig): string | undefined {
  try {
    api.apply(unpackConfig(config));
    api.reloadReports.metrics.recordSuccess();
    return undefined;
  } catch (error) {
    // Whatever it is, another process takes the place of this one.
    return (error as Error).message;
  }
}

/** @param onSent called even when the primary is gone, which another event reports */
function tell(message: FromWorker, onSent: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, onSent);
}

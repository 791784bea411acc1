import cluster from 'node:cluster';
import process from 'node:process';
import { compileContract } from '../contract/contract.ts';
import { ConfigError } from '../failures.ts';
import { createApi, type Api } from '../gateway.ts';
import { ListenError } from '../http/listen-error.ts';
import { createLogger } from '../telemetry/logger.ts';
import { openStandardOutput } from '../telemetry/standard-output.ts';
import { unpackPart, type FromWorker, type PortableConfig, type ToWorker } from './messages.ts';

/** Serves in this process as the primary says. When the primary is gone, node:cluster ends the process. */
export function runWorker(): void {
  // A terminal and an init system signal every process, but the primary decides when a worker stops: it would replace
  // one that ended by itself.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  // A message to a primary that is gone cannot be delivered.
  cluster.worker?.on('error', () => process.exit(1));
  let api: Api | undefined;
  process.on('message', (message: ToWorker) => {
    if (message.tell === 'start') {
      api = tryCreating(message.config, message.number);
      void (api && listen(api));
    } else if (message.tell === 'stop') {
      void end(api);
    } else if (message.about === 'pulse') {
      tell({ tell: 'answer', id: message.id, value: undefined });
    } else if (api !== undefined) {
      void answer(api, message.id, message.about);
    }
  });
  tell({ tell: 'attentive' });
}

/** Tells the primary of what the configuration names and is not there any more, such as the folder of a file. */
function tryCreating(config: PortableConfig, worker: number): Api | undefined {
  try {
    return createWorkerApi(config, worker);
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    giveUp(error.message);
    return undefined;
  }
}

function createWorkerApi({ parts, ...settings }: PortableConfig, worker: number): Api {
  const contract = compileContract(parts.map(unpackPart), new Set(Object.keys(settings.downstreams)), []);
  const output = openStandardOutput({ ...settings.log, bindings: { worker } });
  return createApi({ ...settings, contract }, { logger: createLogger(output, settings.log.level).child({ worker }) });
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

async function answer(api: Api, id: number, about: 'readiness' | 'metrics'): Promise<void> {
  const value = about === 'readiness' ? api.whyNotReady() : await api.readMetrics();
  tell({ tell: 'answer', id, value });
}

/** @param onSent called even when the primary is gone, which another event reports */
function tell(message: FromWorker, onSent: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, onSent);
}

import type { GatewayConfig } from '../config/load-config.ts';
import type { ContractPart } from '../contract/contract.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';

/** The first word of a worker's command line, which tells it from the primary. */
export const WORKER_COMMAND = 'worker';

/** A configuration that can be sent to another process: the contract as it was written, not as it was compiled. */
export interface PortableConfig extends Omit<GatewayConfig, 'contract'> {
  readonly parts: readonly PortablePart[];
}

/** A document of the contract as bytes, which cross to a worker, and are read there, in a fraction of the time of an object. */
export interface PortablePart {
  readonly source: ContractPart['source'];
  readonly document: Omit<ContractPart['document'], 'root'>;
  /** JSON in UTF-8. */
  readonly root: Uint8Array;
}

/** Packs a document for another process. */
export function packPart({ source, document: { root, ...document } }: ContractPart): PortablePart {
  return { source, document, root: Buffer.from(JSON.stringify(root)) };
}

/** Unpacks what {@link packPart} packed. */
export function unpackPart({ source, document, root }: PortablePart): ContractPart {
  const json = JSON.parse(Buffer.from(root).toString()) as ContractPart['document']['root'];
  return { source, document: { ...document, root: json } };
}

/** What the primary can ask of a worker, and what it gets. */
export interface Answers {
  /** Why the worker should get no requests; `undefined` when it should. */
  readiness: string | undefined;
  metrics: MetricsSnapshot;
  /** No value: the answer itself shows that the worker is alive. */
  pulse: undefined;
  /** Why the worker cannot follow the configuration that the question brings; `undefined` when it does. */
  reload: string | undefined;
  /** No value: the file of the audit log was opened anew, or the log of the worker says why not. */
  audit: undefined;
}

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly tell: 'start'; readonly number: number; readonly config: PortableConfig }
  | { readonly tell: 'stop' }
  | {
      readonly tell: 'question';
      readonly id: number;
      readonly about: keyof Answers;
      /** Goes with `reload`. */
      readonly config?: PortableConfig | undefined;
    };

/** What a worker tells the primary: first that it receives messages, because what was sent before that is lost. */
export type FromWorker =
  | { readonly tell: 'attentive' }
  | { readonly tell: 'listening'; readonly url: string }
  | { readonly tell: 'cannot listen'; readonly reason: string }
  | { readonly tell: 'answer'; readonly id: number; readonly value: Answers[keyof Answers] };

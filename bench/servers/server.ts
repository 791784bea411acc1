import { readCpuTime } from '../measure/process-figures.ts';
import type { PinnedProcess } from './child-process.ts';
import type { NodeRuntime } from './node-runtime.ts';

/** A server that stands between the load and the downstreams, ready to be measured. */
export interface MeasuredServer {
  /** As the table calls it. */
  readonly name: string;
  readonly origin: string;
  readonly process: PinnedProcess;
  /** Another process that every request needs, whose CPU time counts as well. */
  readonly helper?: PinnedProcess;
  /** Processes below {@link process} that share the connections; default 1, itself. */
  readonly workers?: number;
  /** True for one in native code, which is as fast from the start as later; default false. */
  readonly isNative?: boolean;
}

/** The CPU time that everything took so far that serves the requests of a server, in milliseconds. */
export function readServerCpuTime({ process, helper }: Pick<MeasuredServer, 'process' | 'helper'>): number {
  return readCpuTime(process.pid) + (helper === undefined ? 0 : readCpuTime(helper.pid));
}

/** What every measured server is told. */
export interface ServerSurroundings {
  /** Where requests for each path go. */
  readonly routes: readonly Route[];
  readonly entraOrigin: string;
  /** SubjectPublicKeyInfo in PEM of the key that signs the assertions. */
  readonly publicKeyFile: string;
  /** For files that the server needs. */
  readonly folder: string;
  /** What a server in Node runs on. */
  readonly node: NodeRuntime;
}

/** A path that is forwarded as it is. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly origin: string;
  /** True when its body is a JSON text that the contract describes. */
  readonly isBodyChecked?: boolean;
}

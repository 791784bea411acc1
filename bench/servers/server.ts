import type { PinnedProcess } from './child-process.ts';

/** A server that stands between the load and the downstreams, ready to be measured. */
export interface MeasuredServer {
  /** As the table calls it. */
  readonly name: string;
  readonly origin: string;
  readonly process: PinnedProcess;
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
}

/** A path that is forwarded as it is. */
export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly origin: string;
  /** True when its body is a JSON text that the contract describes. */
  readonly isBodyChecked?: boolean;
}

import type { Access } from '../../session/requirement.ts';
import type { BodyRule } from '../checks/body.ts';
import type { ParameterCheck } from '../checks/parameters.ts';
import type { EncodedValues } from '../routes/path-template.ts';

/** One operation of the contract, ready to serve requests. */
export interface Operation {
  /** Its `operationId`, or `GET /orders`, after the name of its document where that has one; the label of logs and metrics. */
  readonly name: string;
  /** Which of the documents of the contract it stands in, from 0. */
  readonly document: number;
  readonly access: Access;
  /** The Conditional Access authentication context that the caller's token must carry. */
  readonly authContext?: string;
  readonly parameters: readonly ParameterCheck[];
  readonly body?: BodyRule;
  /** The protocol that a request must ask for, and that is then spoken on its connection. */
  readonly upgrade?: 'websocket';
  /** What counts in the place of the downstream's times. */
  readonly timeouts?: { readonly responseMs?: number; readonly idleMs?: number };
  /** What counts in the place of the largest body of the server. */
  readonly bodyLimitBytes?: number;
  /** In upper case. */
  readonly method: string;
  /** The path template by which callers reach it. */
  readonly path: string;
  /** The name of the last path parameter when it takes the rest of the path. */
  readonly multiSegment?: string;
  /** The names of the path parameters of the style `matrix`, whose values begin with a semicolon. */
  readonly matrix: ReadonlySet<string>;
  /** The name of the downstream in gateway.yaml. */
  readonly service: string;
  readonly downstreamMethod: string;
  /** The path template of the downstream. */
  readonly downstreamPath: string;
  readonly fillPath: (values: EncodedValues) => string;
}

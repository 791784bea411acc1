import type { Access } from '../../session/requirement.ts';
import type { BodyRule } from '../checks/body.ts';
import type { ParameterCheck } from '../checks/parameters.ts';
import type { EncodedValues } from '../routes/path-template.ts';
import type { McpServer } from './mcp-server.ts';

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
  readonly timeouts?: {
    readonly responseMs?: number;
    readonly idleMs?: number;
    /** True where an event stream may be silent for ever, unless gateway.yaml sets the time for its downstream. */
    readonly endlessStreams?: boolean;
  };
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
  /** The MCP server whose messages it takes; absent where it takes none. */
  readonly mcpServer?: McpServer;
  /**
   * What the operation becomes when the body of the request calls one of these tools: the same, and it asks for more. By
   * the names of the tools; absent where the body decides nothing.
   */
  readonly tools?: ReadonlyMap<string, Operation>;
  /** The name of the tool with rules of its own that the body calls; absent before the body was read, and for any other. */
  readonly tool?: string;
}

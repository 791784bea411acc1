import type { GatewayError } from '../failures.ts';
import type { ErrorAnswer } from '../http/answer-failure.ts';
import type { InboundRequest } from '../inbound-request.ts';

/** One path at which an application asks for a token, or about one. */
export interface TokenEndpoint {
  /** What the log and the metrics call it. */
  readonly operation: string;
  readonly method: 'GET' | 'POST';
  /**
   * Finds the answer.
   *
   * @returns the members of the JSON of a 200
   * @throws {GatewayError} for every refusal
   * @throws {CallerGone} when the application hangs up before the end of its request
   */
  answer(request: InboundRequest): Promise<object>;
  /** How the endpoint writes a refusal; absent where it writes a problem document. */
  readonly toErrorAnswer?: (failure: GatewayError) => ErrorAnswer;
}

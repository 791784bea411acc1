import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

/**
 * Answers a request at a token endpoint.
 *
 * @param ownHeaders the headers of every answer of ours: names and values in turn
 * @throws {GatewayError} every refusal
 * @throws {CallerGone} when the application hangs up before the end of its request
 */
export async function answerTokenRequest(
  request: InboundRequest,
  endpoint: TokenEndpoint,
  ownHeaders: readonly string[],
): Promise<void> {
  const { req, res, record } = request;
  record.operation = endpoint.operation;
  if (req.method !== endpoint.method) {
    throw new GatewayError('method_not_allowed', { allow: [endpoint.method] });
  }
  refuseQuery(request);
  const json = JSON.stringify(await endpoint.answer(request));
  res.writeHead(200, [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(json)),
    'cache-control',
    'no-store',
    ...ownHeaders,
  ]);
  res.end(json);
}

/** The sidecar lets parameters of the query replace scopes, tenant and address; here gateway.yaml alone says these. */
function refuseQuery({ target }: InboundRequest): void {
  if (target.query.length > 1) {
    throw new GatewayError('invalid_request', {
      detail: 'Send the request without a query: scopes, tenant and address are those of the configuration.',
    });
  }
}

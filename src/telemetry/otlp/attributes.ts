import type { AttributeValue } from '@opentelemetry/api';

/**
 * Every attribute that a span can have, and what it says. Names with a first part other than `gateway` or `entra` are
 * those of the semantic conventions.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 * @see https://opentelemetry.io/docs/specs/semconv/database/redis/
 */
export const ATTRIBUTES = {
  'http.request.method': 'the method, `_OTHER` for an unusual one',
  'http.route': 'the path template of the operation',
  'http.response.status_code': 'the status of the answer; absent when there was none',
  'http.request.resend_count': '1 when the request was sent a second time, with a token that has more claims',
  'url.scheme': 'of the public address',
  'url.path': 'the path as the caller sent it, at most 500 characters; never the query',
  'url.full': 'the address at the downstream without its query, at most 500 characters',
  'url.template': 'the path template of the downstream',
  'server.address': 'the host of the public address, or of the downstream',
  'server.port': 'its port',
  'client.address': 'the address of the client, as the log has it',
  'user_agent.original': 'at most 200 characters',
  'db.system.name': '`redis`',
  'db.operation.name': 'what the command is for: `get`, `set`, `delete`, `lock`, `unlock`',
  'error.type': 'the `code` of the problem, the status of a downstream from 400 on, or how a command to Redis failed',
  'gateway.operation': 'the name of the operation, as in log and metrics',
  'gateway.request_id': 'the `x-request-id`',
  'gateway.downstream': 'the name of the downstream in gateway.yaml',
  'gateway.caller_gone': '`true` when the caller left before the answer was complete',
  'gateway.token.source': 'where the downstream token came from: `session`, `redis`, `entra`',
  'gateway.exchange.outcome': '`token`, or the class of the refusal',
  'gateway.exchange.claims': '`true` when Entra was asked again, with the claims of the downstream',
  'entra.client_request_id': 'the `client-request-id` under which Entra knows the exchange',
} as const satisfies Record<string, string>;

/** Attributes of one span. */
export type SpanAttributes = { [name in keyof typeof ATTRIBUTES]?: AttributeValue };

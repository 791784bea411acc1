import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { request } from 'undici';
import type { ChallengeFrame } from '../../src/challenge/www-authenticate.ts';
import { Authority } from '../../src/entra/authority.ts';
import { toFailure } from '../../src/exchange/refusal-to-failure.ts';
import { readRefusal } from '../../src/exchange/refusal.ts';
import { FAILURES, GatewayError, type Failure, type FailureFacts } from '../../src/failures.ts';
import { answerFailure } from '../../src/http/answer-failure.ts';
import { contextClaims } from '../../src/syntax/claims-request.ts';
import { toClaimsScope } from '../../src/syntax/claims-scope.ts';
import { toJsonRpcError } from '../../src/mcp/json-rpc-error.ts';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../emulator/world.ts';

/** The answer to a failure as a client receives it. */
export interface ExampleAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Those that tell the client what to do. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const API = 'https://api.contoso.com';
const AUTHORITY = new Authority('https://login.microsoftonline.com', HOME_TENANT_ID);
const SCOPE = `api://${GATEWAY_CLIENT_ID}/Orders.ReadWrite`;
const CONTEXT = contextClaims('c1');
const TELLING_HEADERS = ['WWW-Authenticate', 'Retry-After', 'Allow', 'Upgrade'];

const FRAME: ChallengeFrame = {
  authorizationUri: AUTHORITY.challengeUri(''),
  clientId: GATEWAY_CLIENT_ID,
  resourceMetadata: `${API}/.well-known/oauth-protected-resource`,
};

/** What a failure says in the examples beyond its row. */
const FACTS: Partial<Record<Failure, FailureFacts>> = {
  missing_token: { scopes: [SCOPE] },
  invalid_token: { scopes: [SCOPE] },
  insufficient_scope: { scopes: [SCOPE] },
  insufficient_claims: { claims: CONTEXT, authContext: true },
  claims_as_scope: { scopes: [SCOPE, toClaimsScope(CONTEXT)], claims: CONTEXT, authContext: true },
  interaction_required: { suberror: 'basic_action' },
  consent_required: refuseConsent(),
  invalid_request: {
    errors: [{ in: 'body', pointer: '/amount', detail: 'must be > 0' }],
  },
  header_mismatch: {
    detail: 'Mcp-Name and the message differ; send the same in both.',
    jsonRpc: { code: -32_020, id: 7 },
  },
  undecidable_message: {
    detail: 'The body is not one message; send each by itself.',
    jsonRpc: { code: -32_600, id: null },
  },
  upgrade_required: { upgrade: 'websocket' },
  method_not_allowed: { allow: ['GET', 'POST'] },
  too_many_requests: { retryAfter: 10 },
  overloaded: { retryAfter: 1 },
  identity_unavailable: { retryAfter: 10 },
  downstream_unavailable: { retryAfter: 10 },
};

/** Has the gateway's own code answer every failure once, over the wire. */
export async function makeExampleAnswers(): Promise<Record<Failure, ExampleAnswer>> {
  const server = createServer((req, res) => {
    const failure = (req.url ?? '').slice(1) as Failure;
    const context = { frame: FRAME, requestId: '5f2d1c88-6f0e-4a57-9c1f-0d8f4e1b7a32', instance: '/orders' };
    const error = new GatewayError(failure, FACTS[failure]);
    answerFailure(res, error, { ...context, ownHeaders: [], instead: toJsonRpcError(error) });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (failure: string): Promise<[string, ExampleAnswer]> => {
    const { statusCode, headers, body } = await request(`http://127.0.0.1:${port}/${failure}`);
    const contentType = String(headers['content-type']);
    return [failure, { status: statusCode, contentType, headers: pickTelling(headers), body: await text(body) }];
  };
  try {
    return Object.fromEntries(await Promise.all(Object.keys(FAILURES).map(ask))) as Record<Failure, ExampleAnswer>;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function pickTelling(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    TELLING_HEADERS.map((name) => [name, headers[name.toLowerCase()]]).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
}

function refuseConsent(): FailureFacts {
  return answerRefusal(400, { error: 'invalid_grant', error_codes: [65001], suberror: 'consent_required' }).facts;
}

/** What the gateway makes of an answer of Entra's token endpoint to an exchange for Microsoft Graph. */
export function answerRefusal(status: number, body: object): GatewayError {
  const context = { now: 0, monotonicMs: 0, servesManyTenants: false };
  return toFailure(readRefusal({ status, headers: {}, text: JSON.stringify(body) }, context), {
    authority: AUTHORITY,
    clientId: GATEWAY_CLIENT_ID,
    downstream: 'graph',
    consentRedirectUri: `${API}/consented`,
    tenantId: HOME_TENANT_ID,
    isOwnToken: false,
    correlationId: undefined,
    scopes: ['https://graph.microsoft.com/User.Read'],
    monotonicMs: () => context.monotonicMs,
  });
}

import { randomUUID } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { authenticateClient, readClientCredentials, type ClientCredentials } from './client-authentication.ts';
import type { Directory } from './directory.ts';
import { describeEntraError, describeError, EntraError, type EntraErrorBody, type ErrorFrame } from './entra-error.ts';
import { withoutSecrets, type Exchange } from './exchange.ts';
import { readCorrelationId, readForm } from './form.ts';
import { redeemAuthorizationCode } from './grants/authorization-code.ts';
import { grantToApp } from './grants/client-credentials.ts';
import { redeemDeviceCode } from './grants/device-code.ts';
import { redeemAssertion } from './grants/on-behalf-of.ts';
import { redeemPassword } from './grants/password.ts';
import { redeemRefreshToken } from './grants/refresh-token.ts';
import { redeemContinuation } from './native-auth/redeem-continuation.ts';
import type { WebFallback } from './native-auth/web-fallback.ts';
import { simulateOutage } from './outage.ts';
import { sendJson } from './send-json.ts';
import type { Refusal } from './switches.ts';
import type { TokenReply } from './token-reply.ts';
import { demandParameter, type TokenRequest } from './token-request.ts';

type GrantHandler = (directory: Directory, request: TokenRequest) => TokenReply | WebFallback | Promise<TokenReply>;

/** Exchanges that are kept: more than any test makes, and few enough for days. */
const MAX_KEPT = 10_000;

const ON_BEHALF_OF = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CLIENT_CREDENTIALS = 'client_credentials';

const GRANTS: ReadonlyMap<string, GrantHandler> = new Map<string, GrantHandler>([
  ['authorization_code', redeemAuthorizationCode],
  ['refresh_token', redeemRefreshToken],
  ['device_code', redeemDeviceCode],
  ['urn:ietf:params:oauth:grant-type:device_code', redeemDeviceCode],
  ['password', redeemPassword],
  [CLIENT_CREDENTIALS, grantToApp],
  [ON_BEHALF_OF, redeemAssertion],
]);

/** Serves `/{tenant}/oauth2/v2.0/token` and notes the newest requests in `exchanges`. */
export function tokenEndpoint(directory: Directory, exchanges: Exchange[]): Router {
  const router = Router();
  router.post('/:tenant/oauth2/v2.0/token', (req, res, next) => {
    const form = readForm(req);
    const credentials = readClientCredentials(form, req.get('authorization'));
    const exchange = noteExchange(req.params.tenant, form, credentials);
    exchanges.push(exchange);
    if (exchanges.length > MAX_KEPT) {
      exchanges.shift();
    }
    res.locals['exchange'] = exchange;
    res.on('finish', () => {
      exchange.status = res.statusCode;
    });
    simulateOutage(directory.switches, res, credentials.kind)
      .then(async (answered) => {
        if (!answered) {
          await answer(directory, { req, res, form, credentials, exchange });
        }
      })
      .catch(next);
  });
  return router;
}

interface TokenCall {
  readonly req: Request<{ tenant: string }>;
  readonly res: Response;
  readonly form: URLSearchParams;
  readonly credentials: ClientCredentials;
  readonly exchange: Exchange;
}

async function answer(directory: Directory, call: TokenCall): Promise<void> {
  const { res, form, exchange } = call;
  const frame = frameOf(directory, call);
  if (sendSwitchedAnswer(directory, call, frame)) {
    return;
  }
  try {
    const client = await authenticateClient(directory, exchange.tenant, call.credentials);
    const grant = findGrant(form);
    sendJson(res, 200, await grant(directory, describeRequest(call, client)), randomUUID());
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    sendError(call, error.status, describeEntraError(error, frame));
  }
}

/** A flow of native authentication ends here too; it has a password grant of its own. */
function findGrant(form: URLSearchParams): GrantHandler {
  const grantType = demandParameter(form, 'grant_type');
  const grant = form.has('continuation_token') ? redeemContinuation : GRANTS.get(grantType);
  if (!grant) {
    throw new EntraError(70003);
  }
  return grant;
}

function describeRequest({ req, form, exchange }: TokenCall, client: TokenRequest['client']): TokenRequest {
  return {
    form,
    tenant: exchange.tenant,
    client,
    credential: exchange.credential,
    browserOrigin: req.get('origin'),
    onSubject: (objectId) => {
      exchange.subject = objectId;
    },
  };
}

function sendSwitchedAnswer({ switches }: Directory, call: TokenCall, frame: ErrorFrame): boolean {
  const { res, exchange } = call;
  const onBehalfOf = exchange.grantType === ON_BEHALF_OF;
  if (switches.body && onBehalfOf) {
    const { status, headers, body } = switches.body;
    res.writeHead(status, headers).end(body);
    return true;
  }
  if (switches.refuse && (onBehalfOf || exchange.grantType === CLIENT_CREDENTIALS)) {
    sendRefusal(call, switches.refuse, frame);
    return true;
  }
  return false;
}

function sendRefusal(call: TokenCall, refusal: Refusal, frame: ErrorFrame): void {
  const { error, error_codes: codes, suberror, claims, retryAfter } = refusal;
  const description = refusal.description ?? `AADSTS${codes[0] ?? 0}: Refused by a switch of the emulator.`;
  if (retryAfter !== undefined) {
    call.res.set('Retry-After', retryAfter);
  }
  sendError(call, refusal.status ?? 400, describeError({ error, codes, description, suberror, claims }, frame));
}

function sendError({ res, exchange }: TokenCall, status: number, body: EntraErrorBody): void {
  exchange.error = body.error;
  exchange.errorCode = body.error_codes[0];
  const suberror = body.suberror === undefined ? 0 : 1;
  res.set('x-ms-clitelem', `1,${body.error_codes[0] ?? 0},${suberror},,`);
  sendJson(res, status, body, body.trace_id);
}

function frameOf({ origin, switches }: Directory, { req }: TokenCall): ErrorFrame {
  return { origin, switches, correlationId: readCorrelationId(req) ?? randomUUID() };
}

function noteExchange(tenant: string, form: URLSearchParams, credentials: ClientCredentials): Exchange {
  return {
    time: Date.now(),
    grantType: form.get('grant_type') ?? undefined,
    tenant,
    clientId: credentials.clientId,
    scope: form.get('scope') ?? undefined,
    claims: form.get('claims') ?? undefined,
    form: withoutSecrets(form),
    credential: credentials.kind,
    clientAssertion: credentials.decodedAssertion,
    subject: undefined,
    status: 0,
    error: undefined,
    errorCode: undefined,
  };
}

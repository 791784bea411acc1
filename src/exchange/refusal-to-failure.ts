import type { Authority } from '../entra/authority.ts';
import { GatewayError, type FailureFacts } from '../failures.ts';
import { ENTRA_CODES, REMEDIES } from './entra-codes.ts';
import type { Refusal } from './refusal.ts';

/** What the answer to a refused exchange needs to know of the exchange. */
export interface RefusedExchange {
  readonly authority: Authority;
  readonly clientId: string;
  readonly consentRedirectUri: string | undefined;
  readonly tenantId: string;
  /** True for the gateway's own token: what Entra asks of it, no caller can give. */
  readonly isOwnToken: boolean;
  /** Its `client-request-id`; `undefined` when Entra was not asked. */
  readonly correlationId: string | undefined;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Seconds, when Entra does not say how long to wait; up to two more, so that callers do not all come back at once. */
const DEFAULT_WAIT = 10;
const SPREAD = 2;

/** Codes with which Entra asks for an administrator instead of the user. */
const ADMIN_CONSENT = new Set([90_094, 90_095]);

const OWN_TOKEN_REMEDY =
  'Give the gateway the application permissions of the downstream API, exempt it from policies for workload identities that it cannot meet, and look at identity.* in gateway.yaml.';

/** Turns a refusal of Entra into the failure of the request: the rows of the answers table that Entra causes. */
export function toFailure(refusal: Refusal, exchange: RefusedExchange): GatewayError {
  const log = describeForLog(refusal, exchange);
  if (exchange.isOwnToken && refusal.class !== 'RT') {
    return new GatewayError('gateway_misconfigured', { log: { ...log, remedy: OWN_TOKEN_REMEDY } });
  }
  switch (refusal.class) {
    case 'CH':
      return toChallenge(refusal, log);
    case 'RE':
      return new GatewayError('invalid_token', { log });
    case 'CO':
      return new GatewayError('consent_required', {
        log,
        scopes: exchange.scopes,
        ...readConsentUri(refusal, exchange),
      });
    case 'DE':
      return new GatewayError('access_denied', { log });
    case 'CF':
      return new GatewayError('gateway_misconfigured', { log });
    case 'RT':
      return new GatewayError('identity_unavailable', { log, retryAfter: tellWait(refusal, exchange.now()) });
  }
}

function toChallenge({ claims, suberror }: Refusal, log: NonNullable<FailureFacts['log']>): GatewayError {
  return claims === undefined
    ? new GatewayError('interaction_required', { log, ...(suberror === undefined ? {} : { suberror }) })
    : new GatewayError('insufficient_claims', { log, claims, ...(suberror === undefined ? {} : { suberror }) });
}

/** In seconds: what is left of the time that Entra asked for. */
function tellWait({ retryAt }: Refusal, now: number): number {
  return retryAt === undefined
    ? DEFAULT_WAIT + Math.round(Math.random() * SPREAD)
    : Math.max(1, Math.ceil((retryAt - now) / 1_000));
}

function readConsentUri({ codes }: Refusal, exchange: RefusedExchange): { consentUri?: string } {
  const { authority, clientId, consentRedirectUri, tenantId, scopes } = exchange;
  if (consentRedirectUri === undefined) {
    return {};
  }
  const needsAdmin = codes.some((code) => ADMIN_CONSENT.has(code));
  const query = {
    client_id: clientId,
    redirect_uri: consentRedirectUri,
    scope: scopes.join(' '),
    ...(needsAdmin ? {} : { response_type: 'code', response_mode: 'query', prompt: 'consent' }),
  };
  const endpoint = needsAdmin ? authority.adminConsentEndpoint(tenantId) : authority.authorizeEndpoint(tenantId);
  return { consentUri: `${endpoint}?${new URLSearchParams(query).toString()}` };
}

/** For operators: the code, what it means, what to do, and the ids of the exchange at Entra; never Entra's text. */
function describeForLog(refusal: Refusal, { correlationId }: RefusedExchange): Readonly<Record<string, unknown>> {
  const { codes, error, suberror, status, traceId } = refusal;
  return {
    ...(correlationId === undefined ? {} : { correlationId }),
    entra: {
      class: refusal.class,
      status,
      error,
      suberror,
      codes: codes.map((code) => `AADSTS${code}`),
      meaning: codes.flatMap((code) => ENTRA_CODES.get(code)?.meaning ?? []).join('; ') || undefined,
      traceId,
    },
    remedy: REMEDIES[refusal.class],
  };
}

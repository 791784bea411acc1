import type { Authority } from '../entra/authority.ts';
import { GatewayError, type FailureFacts, type LoopRule } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import { ENTRA_CODES, lacksDownstream, REMEDIES } from './entra-codes.ts';
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
  readonly monotonicMs: Clock;
}

/** When Entra does not say how long to wait; up to two more, so that callers do not all come back at once. */
const DEFAULT_WAIT_SECONDS = 10;
const SPREAD_SECONDS = 2;

/** Codes with which Entra asks for an administrator instead of the user. */
const ADMIN_CONSENT = new Set([90094, 90095]);

const OWN_TOKEN_REMEDY =
  'Give the gateway the application permissions of the downstream API, exempt it from policies for workload identities that it cannot meet, and look at identity.* in gateway.yaml.';

const THEIR_ADMINISTRATOR_REMEDY =
  'Nothing is wrong here: an administrator of that tenant has to consent to the permissions for the downstream API (identity.consentRedirectUri gives callers the address), or has to buy it.';

const SIGNING_KEY_REMEDY =
  'Entra exchanges only assertions that it signed with its own keys: this app registration has a signing key of its own, as claims mapping and SAML or gallery applications have. Set acceptMappedClaims in its manifest and remove the key, or give the API a registration of its own without one.';

const NEW_TOKENS_REMEDY =
  'New tokens of the user keep meeting this. Look for a policy that the gateway itself cannot meet, such as one about locations, and compare the clock with that of Entra.';

/** Turns a refusal of Entra into the failure of the request: the rows of the answers table that Entra causes. */
export function toFailure(refusal: Refusal, exchange: RefusedExchange): GatewayError {
  const log = describeForLog(refusal, exchange);
  if (exchange.isOwnToken && refusal.class !== 'retry' && !needsTheirAdministrator(refusal)) {
    return new GatewayError('gateway_misconfigured', { log: { ...log, remedy: OWN_TOKEN_REMEDY } });
  }
  switch (refusal.class) {
    case 'interaction':
      return toChallenge(refusal, log);
    case 'reauthenticate':
      return new GatewayError('invalid_token', { log, loop: findLoopRule(refusal) });
    case 'consent':
      return new GatewayError('consent_required', {
        log,
        scopes: exchange.scopes,
        ...readConsentUri(refusal, exchange),
      });
    case 'denied':
      return new GatewayError('access_denied', { log });
    case 'misconfigured':
      return new GatewayError('gateway_misconfigured', { log });
    case 'retry':
      return new GatewayError('identity_unavailable', {
        log,
        retryAfter: waitSecondsOf(refusal, exchange.monotonicMs()),
      });
  }
}

function toChallenge(refusal: Refusal, log: NonNullable<FailureFacts['log']>): GatewayError {
  const { claims, suberror } = refusal;
  const more = suberror === undefined ? {} : { suberror };
  return claims === undefined
    ? new GatewayError('interaction_required', { log, loop: findLoopRule(refusal), ...more })
    : new GatewayError('insufficient_claims', { log, claims, ...more });
}

/** The gateway found the assertion good and Entra does not know its signature, whatever token comes. */
const ASSERTION_INVALID = 50013;

/** Nobody is helped by the same sign-in a third time. */
function findLoopRule({ class: refusalClass, codes, suberror }: Refusal): LoopRule {
  const refusal = [refusalClass, ...codes, suberror].join(' ');
  return codes.includes(ASSERTION_INVALID)
    ? { refusal, failure: 'gateway_misconfigured', remedy: SIGNING_KEY_REMEDY }
    : { refusal, failure: 'step_up_unsatisfiable', remedy: NEW_TOKENS_REMEDY };
}

/** What is left of the time that Entra asked for. */
function waitSecondsOf({ retryAt }: Refusal, monotonicMs: number): number {
  return retryAt === undefined
    ? DEFAULT_WAIT_SECONDS + Math.round(Math.random() * SPREAD_SECONDS)
    : Math.max(1, Math.ceil((retryAt - monotonicMs) / 1_000));
}

/** Another tenant lacks the downstream API, which its administrator lets in by consenting to its permissions. */
function needsTheirAdministrator({ class: refusalClass, codes }: Refusal): boolean {
  return refusalClass === 'consent' && lacksDownstream(codes);
}

function readConsentUri(refusal: Refusal, exchange: RefusedExchange): { consentUri?: string } {
  const { authority, clientId, consentRedirectUri, tenantId, scopes } = exchange;
  if (consentRedirectUri === undefined) {
    return {};
  }
  const needsAdmin = refusal.codes.some((code) => ADMIN_CONSENT.has(code)) || needsTheirAdministrator(refusal);
  const query = {
    client_id: clientId,
    redirect_uri: consentRedirectUri,
    scope: scopes.join(' '),
    ...(needsAdmin ? {} : { response_type: 'code', response_mode: 'query', prompt: 'consent' }),
  };
  const endpoint = needsAdmin ? authority.adminConsentEndpoint(tenantId) : authority.authorizeEndpoint(tenantId);
  return { consentUri: `${endpoint}?${new URLSearchParams(query).toString()}` };
}

function findRemedy(refusal: Refusal): string {
  if (needsTheirAdministrator(refusal)) {
    return THEIR_ADMINISTRATOR_REMEDY;
  }
  return refusal.codes.includes(ASSERTION_INVALID)
    ? `The client has to sign in again. If that does not help: ${SIGNING_KEY_REMEDY}`
    : REMEDIES[refusal.class];
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
    remedy: findRemedy(refusal),
  };
}

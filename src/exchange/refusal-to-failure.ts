import type { Authority } from '../entra/authority.ts';
import { GatewayError, type FailureFacts, type LoopRule } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import { ENTRA_CODES, lacksDownstream, REMEDIES, type RefusalClass } from './entra-codes.ts';
import type { Refusal } from './refusal.ts';

/** The facts of an exchange that the answer to its refusal needs. */
export interface RefusedExchange {
  readonly authority: Authority;
  readonly clientId: string;
  /** The name of the downstream. */
  readonly downstream: string;
  /** The client id of the agent identity that asked; `undefined` when it was the gateway itself. */
  readonly agent?: string | undefined;
  /** Where Entra sends users after they have consented; without it, callers get no address for consent. */
  readonly consentRedirectUri: string | undefined;
  readonly tenantId: string;
  /** True for the gateway's own token, or its agent's: no caller can provide what Entra asks of the gateway. */
  readonly isOwnToken: boolean;
  /** The `client-request-id` of the exchange; `undefined` when Entra was not asked. */
  readonly correlationId: string | undefined;
  readonly scopes: readonly string[];
  readonly monotonicMs: Clock;
}

/** How long a caller is told to wait when Entra names no time. */
const DEFAULT_WAIT_SECONDS = 10;

/** The random time that is added to it, so that callers do not all come back at once. */
const SPREAD_SECONDS = 2;

/** The codes with which Entra asks an administrator for consent instead of the user. */
const ADMIN_CONSENT = new Set([90094, 90095]);

const OWN_TOKEN_REMEDY =
  'Give the gateway the application permissions of the downstream API, exempt it from policies for workload identities that it cannot meet, and check identity.* in gateway.yaml.';

/** The classes of refusals by which a policy stops an agent that acts for itself: no operator of ours can change that. */
const POLICY: ReadonlySet<RefusalClass> = new Set(['interaction', 'denied']);

const THEIR_ADMINISTRATOR_REMEDY =
  'Nothing is wrong here: an administrator of that tenant has to consent to the permissions for the downstream API (identity.consentRedirectUri gives callers the address), or has to buy it.';

const SIGNING_KEY_REMEDY =
  'Entra exchanges only assertions that it signed with its own keys: this app registration has a signing key of its own, as claims mapping and SAML or gallery applications have. Set acceptMappedClaims in its manifest and remove the key, or give the API a registration of its own without one.';

const NEW_TOKENS_REMEDY =
  'New tokens of the user keep meeting this. Look for a policy that the gateway itself cannot meet, such as one about locations, and compare the clock with that of Entra.';

/** Turns a refusal of Entra into the failure of the request, by its class. */
export function toFailure(refusal: Refusal, exchange: RefusedExchange): GatewayError {
  const log = describeForLog(refusal, exchange);
  if (exchange.isOwnToken && exchange.agent !== undefined && POLICY.has(refusal.class)) {
    return new GatewayError('access_denied', { log });
  }
  if (exchange.isOwnToken && refusal.class !== 'retry' && !needsTheirAdministrator(refusal)) {
    return new GatewayError('gateway_misconfigured', { log: { ...log, remedy: findOwnRemedy(exchange) } });
  }
  switch (refusal.class) {
    case 'interaction':
      return toChallenge(refusal, log);
    case 'reauthenticate':
      return new GatewayError('invalid_token', { log, loop: toLoopRule(refusal) });
    case 'consent':
      return new GatewayError('consent_required', {
        log,
        scopes: exchange.scopes,
        ...toConsentUri(refusal, exchange),
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
    ? new GatewayError('interaction_required', { log, loop: toLoopRule(refusal), ...more })
    : new GatewayError('insufficient_claims', { log, claims, ...more });
}

/** Entra does not accept the signature of an assertion that the gateway has found good. */
const ASSERTION_INVALID = 50013;

/** What replaces the refusal when new tokens of the caller keep meeting it: a third sign-in would not help. */
function toLoopRule({ class: refusalClass, codes, suberror }: Refusal): LoopRule {
  const refusal = [refusalClass, ...codes, suberror].join(' ');
  return codes.includes(ASSERTION_INVALID)
    ? { refusal, code: 'gateway_misconfigured', remedy: SIGNING_KEY_REMEDY }
    : { refusal, code: 'step_up_unsatisfiable', remedy: NEW_TOKENS_REMEDY };
}

/** What is left of the time that Entra named, or else the default. */
function waitSecondsOf({ retryAt }: Refusal, monotonicMs: number): number {
  return retryAt === undefined
    ? DEFAULT_WAIT_SECONDS + Math.round(Math.random() * SPREAD_SECONDS)
    : Math.max(1, Math.ceil((retryAt - monotonicMs) / 1_000));
}

/** True when another tenant lacks the downstream API; its administrator adds it by consenting to its permissions. */
function needsTheirAdministrator({ class: refusalClass, codes }: Refusal): boolean {
  return refusalClass === 'consent' && lacksDownstream(codes);
}

/**
 * The address where the user or an administrator can consent. For an agent identity there is none: Entra refuses
 * interactive consent to it (AADSTS82014), because it inherits the permissions of its blueprint.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 * @see https://learn.microsoft.com/entra/agent-id/agent-on-behalf-of-oauth-flow
 */
function toConsentUri(refusal: Refusal, exchange: RefusedExchange): { consentUri?: string } {
  const { authority, clientId, agent, consentRedirectUri, tenantId, scopes } = exchange;
  if (consentRedirectUri === undefined || agent !== undefined) {
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

function findRemedy(refusal: Refusal, { agent, downstream, isOwnToken }: RefusedExchange): string {
  if (needsTheirAdministrator(refusal)) {
    return THEIR_ADMINISTRATOR_REMEDY;
  }
  const agentRemedy = agent === undefined ? undefined : findAgentRemedy(refusal, downstream, isOwnToken);
  if (agentRemedy !== undefined) {
    return agentRemedy;
  }
  return refusal.codes.includes(ASSERTION_INVALID)
    ? `The client has to sign in again. If that does not help: ${SIGNING_KEY_REMEDY}`
    : REMEDIES[refusal.class];
}

/** What an operator does about a refusal of an agent identity, where it is not what helps an ordinary app. */
function findAgentRemedy(
  { class: refusalClass }: Refusal,
  downstream: string,
  isOwnToken: boolean,
): string | undefined {
  if (refusalClass === 'misconfigured') {
    return `Let downstreams.${downstream}.agent be an enabled agent identity of the blueprint identity.clientId in this tenant, and check identity.credential and the downstream’s scopes.`;
  }
  if (refusalClass === 'consent') {
    return 'Grant admin consent for the delegated permissions to the blueprint, and let its agent identities inherit them.';
  }
  return isOwnToken && POLICY.has(refusalClass)
    ? 'The administrator of the tenant decides: a Conditional Access policy stops the agent identity, and nobody can step up for it.'
    : undefined;
}

function findOwnRemedy({ agent, downstream }: RefusedExchange): string {
  return agent === undefined
    ? OWN_TOKEN_REMEDY
    : `Give the agent identity of downstreams.${downstream}.agent the application permissions of the downstream API, let it be an enabled agent identity of the blueprint identity.clientId, and check identity.credential.`;
}

/** What the log says of a refusal: its code and meaning, the remedy, and Entra's ids of the exchange; no Entra text. */
function describeForLog(refusal: Refusal, exchange: RefusedExchange): Readonly<Record<string, unknown>> {
  const { correlationId, agent } = exchange;
  const { codes, error, suberror, status, traceId } = refusal;
  return {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(agent === undefined ? {} : { agent }),
    entra: {
      class: refusal.class,
      status,
      error,
      suberror,
      codes: codes.map((code) => `AADSTS${code}`),
      meaning: codes.flatMap((code) => ENTRA_CODES.get(code)?.meaning ?? []).join('; ') || undefined,
      traceId,
    },
    remedy: findRemedy(refusal, exchange),
  };
}

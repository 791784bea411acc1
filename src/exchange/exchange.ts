import { DownstreamTokens, type DownstreamToken } from '../downstream-tokens.ts';
import type { Authority } from '../entra/authority.ts';
import type { Session } from '../session.ts';
import type { RefusalClass } from './entra-codes.ts';
import { ExchangeRefused, type EntraTokenClient } from './entra-token-client.ts';
import { toFailure } from './refusal-to-failure.ts';
import type { Refusal } from './refusal.ts';

/** The part of a downstream that the exchange needs. */
export interface ExchangeTarget {
  readonly name: string;
  /** Fixed scopes of one resource. */
  readonly scopes: readonly string[];
  /** The resource of the scopes with `/.default`, for callers that are apps. */
  readonly applicationScope: string;
}

/** What {@link createExchange} works with. */
export interface ExchangeOptions {
  readonly client: EntraTokenClient;
  readonly authority: Authority;
  readonly clientId: string;
  readonly consentRedirectUri: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Is told of each request to Entra; the outcome is `token` or the class of the refusal. */
  readonly onExchange: (downstream: string, outcome: string, seconds: number) => void;
}

/** The step between a verified caller and a call downstream. */
export interface Exchange {
  /**
   * The caller's token for a downstream: the one that is held, or a new one from Entra, with claims if they are given.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(session: Session, target: ExchangeTarget, claims?: string): DownstreamToken | Promise<DownstreamToken>;
  /** Forgets a token that the downstream did not accept. */
  discard(session: Session, target: ExchangeTarget, refused: DownstreamToken): void;
}

/** Milliseconds for which Entra need not be asked again what it refused. */
const REFUSAL_LIFETIME = 60_000;

/** Refusals that another request with the same assertion would only hear again. */
const LASTING: ReadonlySet<RefusalClass> = new Set(['CH', 'CO', 'DE']);

/**
 * Makes the exchange step. A user's tokens live in the user's session; the gateway's own tokens, for callers that are
 * apps, are shared by all of them.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { client, now, onExchange } = options;
  const ownTokens = new DownstreamTokens();
  return {
    acquire(session, target, claims = '') {
      return tokensOf(session).find(keyOf(session, target), now()) ?? request(session, target, claims);
    },
    discard(session, target, refused) {
      tokensOf(session).discard(keyOf(session, target), refused);
    },
  };

  function tokensOf(session: Session): DownstreamTokens {
    return session.principal.kind === 'app' ? ownTokens : session.tokens;
  }

  async function request(session: Session, target: ExchangeTarget, claims: string): Promise<DownstreamToken> {
    const tokens = tokensOf(session);
    const key = keyOf(session, target);
    const flight = `${key} ${claims}`;
    const remembered = tokens.findRefusal(flight, now());
    if (remembered !== undefined) {
      throw explain(remembered, session, target);
    }
    try {
      return await tokens.request(key, claims, () => ask(session, target, claims));
    } catch (error) {
      const until = error instanceof ExchangeRefused ? rememberUntil(error.refusal, now()) : undefined;
      if (until !== undefined) {
        tokens.remember(flight, error as ExchangeRefused, until, now());
      }
      throw explain(error, session, target);
    }
  }

  function explain(error: unknown, { principal }: Session, { scopes }: ExchangeTarget): unknown {
    const { tenantId } = principal;
    return error instanceof ExchangeRefused ? toFailure(error.refusal, { ...options, tenantId, scopes }) : error;
  }

  async function ask(
    { principal, assertion }: Session,
    target: ExchangeTarget,
    claims: string,
  ): Promise<DownstreamToken> {
    const { kind, tenantId, handlesClaims } = principal;
    const { scopes, applicationScope } = target;
    const start = performance.now();
    let outcome = 'token';
    try {
      return kind === 'app'
        ? await client.asApplication({ tenantId, scope: applicationScope })
        : await client.onBehalfOf({ assertion, tenantId, scopes, claims, handlesClaims });
    } catch (error) {
      outcome = error instanceof ExchangeRefused ? error.refusal.class : 'fault';
      throw error;
    } finally {
      onExchange(target.name, outcome, (performance.now() - start) / 1_000);
    }
  }
}

/** The gateway's own token is one for each downstream and tenant. */
function keyOf({ principal }: Session, { name }: ExchangeTarget): string {
  return principal.kind === 'app' ? `${name} ${principal.tenantId}` : name;
}

function rememberUntil(refusal: Refusal, now: number): number | undefined {
  if (refusal.class === 'RT') {
    return refusal.retryAt;
  }
  return LASTING.has(refusal.class) ? now + REFUSAL_LIFETIME : undefined;
}

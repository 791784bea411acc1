import type { Authority } from '../entra/authority.ts';
import type { DownstreamToken, Session } from '../session.ts';
import { SingleFlight } from '../single-flight.ts';
import { ExchangeRefused, type EntraTokenClient } from './entra-token-client.ts';
import { toFailure, type RefusedExchange } from './refusal-to-failure.ts';

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
   * The caller's token for a downstream; with claims, always a new one from Entra.
   *
   * @throws {GatewayError} what Entra's refusal means for the caller
   */
  acquire(session: Session, target: ExchangeTarget, claims?: string): DownstreamToken | Promise<DownstreamToken>;
  /** Forgets a token that the downstream did not accept. */
  discard(session: Session, target: ExchangeTarget): void;
}

/** A held token is given out until five minutes before it expires, so that it survives the call it is for. */
const MARGIN = 5 * 60 * 1_000;

/**
 * Makes the exchange step. A user's tokens live in the user's session; the gateway's own tokens, for callers that are
 * apps, are shared by all of them.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { client, now, onExchange } = options;
  const ownTokens = new Map<string, DownstreamToken>();
  const ownRequests = new SingleFlight<DownstreamToken>();
  return {
    acquire(session, target, claims) {
      const held = claims === undefined ? find(session, target) : undefined;
      if (held !== undefined && now() < held.expiresAt - MARGIN) {
        return held;
      }
      const { kind, tenantId } = session.principal;
      const token = kind === 'app' ? requestOwn(session, target) : exchangeAssertion(session, target, claims);
      return explainRefusal(token, { ...options, tenantId, scopes: target.scopes });
    },
    discard(session, target) {
      if (session.principal.kind === 'app') {
        ownTokens.delete(keyOf(session, target));
      } else {
        session.drop(target.name);
      }
    },
  };

  function find(session: Session, target: ExchangeTarget): DownstreamToken | undefined {
    return session.principal.kind === 'app' ? ownTokens.get(keyOf(session, target)) : session.token(target.name);
  }

  function requestOwn(session: Session, target: ExchangeTarget): Promise<DownstreamToken> {
    const key = keyOf(session, target);
    return ownRequests.run(key, async () => {
      const { tenantId } = session.principal;
      const token = await measure(target, () => client.asApplication({ tenantId, scope: target.applicationScope }));
      ownTokens.set(key, token);
      return token;
    });
  }

  function exchangeAssertion(session: Session, target: ExchangeTarget, claims = ''): Promise<DownstreamToken> {
    return session.exchanges.run(`${target.name} ${claims}`, async () => {
      const { principal, assertion } = session;
      const { tenantId, handlesClaims } = principal;
      const { scopes } = target;
      const token = await measure(target, () =>
        client.onBehalfOf({ assertion, tenantId, scopes, claims, handlesClaims }),
      );
      session.hold(target.name, token);
      return token;
    });
  }

  async function measure({ name }: ExchangeTarget, request: () => Promise<DownstreamToken>): Promise<DownstreamToken> {
    const start = performance.now();
    let outcome = 'token';
    try {
      return await request();
    } catch (error) {
      outcome = error instanceof ExchangeRefused ? error.refusal.class : 'fault';
      throw error;
    } finally {
      onExchange(name, outcome, (performance.now() - start) / 1_000);
    }
  }
}

/** The gateway's own token is one for each downstream and tenant. */
function keyOf(session: Session, target: ExchangeTarget): string {
  return `${target.name} ${session.principal.tenantId}`;
}

async function explainRefusal(token: Promise<DownstreamToken>, exchange: RefusedExchange): Promise<DownstreamToken> {
  try {
    return await token;
  } catch (error) {
    throw error instanceof ExchangeRefused ? toFailure(error.refusal, exchange) : error;
  }
}

import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { Authority } from '../../src/entra/authority.ts';
import { EntraHttpClient } from '../../src/entra/http-client.ts';
import type { CredentialSource } from '../../src/exchange/client-credential.ts';
import { EntraTokenClient } from '../../src/exchange/entra-token-client.ts';
import { assembleExchange, type Exchange } from '../../src/exchange/assemble-exchange.ts';
import type { DownstreamToken, FetchedToken } from '../../src/session/downstream-token.ts';
import { nameTokens, type DownstreamScopes, type TokenRequest } from '../../src/session/token-source.ts';
import { GatewayError } from '../../src/failures.ts';
import { toPrincipal } from '../../src/session/principal.ts';
import { Session } from '../../src/session/session.ts';
import { Clock } from './token-clock.ts';

/** Microsoft Graph as a downstream. */
export const GRAPH: DownstreamScopes = {
  name: 'graph',
  scopes: ['https://graph.microsoft.com/User.Read'],
  applicationScope: 'https://graph.microsoft.com/.default',
  key: nameTokens('graph', ['https://graph.microsoft.com/User.Read']),
};

/** The Orders API as a downstream. */
export const ORDERS: DownstreamScopes = {
  name: 'orders',
  scopes: ['api://orders/user_impersonation'],
  applicationScope: 'api://orders/.default',
  key: nameTokens('orders', ['api://orders/user_impersonation']),
};

/** How a desk differs from the default one, which has the demo secret. */
export interface DeskOptions {
  /** The address of Entra. */
  readonly origin: string;
  readonly credential?: CredentialSource;
  /** Milliseconds for one call to Entra. */
  readonly deadline?: number;
  readonly consentRedirectUri?: string;
}

/** One refusal as the rest of the gateway sees it. */
export type Refused = { readonly code: string } & GatewayError['facts'];

/** An exchange step with everything it works with. */
export interface Desk {
  readonly clock: Clock;
  readonly client: EntraTokenClient;
  readonly exchange: Exchange;
  /** The downstream and the outcome of each request to Entra, oldest first. */
  readonly outcomes: (readonly [downstream: string, outcome: string])[];
  /** What was logged, oldest first. */
  readonly warnings: object[];
  /** The step itself. */
  fetch(session: Session, request?: Partial<Omit<TokenRequest, 'session'>>): DownstreamToken | Promise<FetchedToken>;
  /** The downstream token, at once when it is held. */
  take(session: Session, downstream?: DownstreamScopes, claims?: string): DownstreamToken | Promise<DownstreamToken>;
  /** The downstream token, or the refusal. */
  acquire(session: Session, downstream?: DownstreamScopes, claims?: string): Promise<string | Refused>;
  /** The error that is thrown in place of a token. */
  failOn(session: Session, downstream?: DownstreamScopes): Promise<GatewayError>;
  close(): void;
}

/** Sets up an exchange step against an Entra on the wire. */
export function openDesk(options: DeskOptions): Desk {
  const {
    origin,
    credential = () => Promise.resolve({ clientSecret: GATEWAY_CLIENT_SECRET }),
    deadline = 2_000,
    consentRedirectUri,
  } = options;
  const clock = new Clock();
  const http = new EntraHttpClient(deadline);
  const authority = new Authority(origin, HOME_TENANT_ID);
  const clientId = GATEWAY_CLIENT_ID;
  const client = new EntraTokenClient({
    authority,
    clientId,
    credential,
    http,
    now: clock.now,
    monotonicMs: clock.monotonicMs,
  });
  const outcomes: [string, string][] = [];
  const warnings: object[] = [];
  const fetch: Desk['fetch'] = (session, request = {}) =>
    exchange.acquire({
      session,
      assertion: () => assertions.get(session) ?? '',
      downstream: GRAPH,
      claims: '',
      correlationId: undefined,
      ...request,
    });
  const take: Desk['take'] = (session, downstream = GRAPH, claims = '') => {
    const found = fetch(session, { downstream, claims });
    return found instanceof Promise ? found.then(({ token }) => token) : found;
  };
  const exchange = assembleExchange({
    client,
    authority,
    clientId,
    consentRedirectUri: () => consentRedirectUri,
    now: clock.now,
    monotonicMs: clock.monotonicMs,
    log: { warn: (fields: object) => warnings.push(fields) },
    onExchange: ({ downstream, outcome }) => outcomes.push([downstream, outcome]),
  });
  return {
    clock,
    client,
    exchange,
    outcomes,
    warnings,
    fetch,
    take,
    async acquire(session, downstream = GRAPH, claims = '') {
      try {
        return (await take(session, downstream, claims)).accessToken;
      } catch (error) {
        return refusedOf(error);
      }
    },
    async failOn(session, downstream = GRAPH) {
      try {
        await take(session, downstream);
      } catch (error) {
        if (error instanceof GatewayError) {
          return error;
        }
        throw error;
      }
      throw new Error('there is a token');
    },
    close: () => http.close(),
  };
}

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** What each request of a session brings along. */
const assertions = new WeakMap<Session, string>();

/** The session of an access token, as the step before the exchange hands it on. */
export function openSession(assertion: string): Session {
  const claims = decodeJwt(assertion);
  const signingKey = { kid: 'k', publicKey, issuer: undefined, retired: false };
  const session = new Session({
    rules: { clockTolerance: 0 },
    principal: toPrincipal({ ...claims }),
    signingKey,
    assertionExpSeconds: claims.exp ?? 0,
  });
  assertions.set(session, assertion);
  return session;
}

function refusedOf(error: unknown): Refused {
  if (!(error instanceof GatewayError)) {
    throw error;
  }
  return { code: error.code, ...error.facts };
}

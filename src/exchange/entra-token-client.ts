import { isDeepStrictEqual } from 'node:util';
import { ConfidentialClientApplication, type AuthenticationResult, type Configuration } from '@azure/msal-node';
import { LRUCache } from 'lru-cache';
import type { Authority } from '../entra/authority.ts';
import type { EntraHttpClient } from '../entra/http-client.ts';
import { planToken, type DownstreamToken } from '../session/downstream-token.ts';
import type { Clock } from '../resilience/clock.ts';
import { CredentialUnavailable, type ClientCredential, type CredentialSource } from './client-credential.ts';
import { ENTRA_CODES } from './entra-codes.ts';
import { RecordingNetwork, type MayTryAgain } from './recording-network.ts';
import { ExchangeRefused, NOTHING_SAID } from './exchange-refused.ts';
import { readRefusal } from './refusal.ts';

/** One exchange of a user's assertion. */
export interface OnBehalfOfRequest {
  readonly assertion: string;
  /** The `tid` of the assertion: guests are exchanged where their token was issued. */
  readonly tenantId: string;
  readonly scopes: readonly string[];
  /** A claims request as JSON text, checked before; empty for none. */
  readonly claims: string;
  /** True when the caller can take claims challenges, so that the downstream token may be one that meets them. */
  readonly handlesClaims: boolean;
  /** A GUID by which Entra's sign-in log knows the exchange: its `client-request-id`. */
  readonly correlationId: string;
  readonly mayTryAgain?: MayTryAgain;
}

/** One token for the gateway itself. */
export interface ApplicationRequest {
  readonly tenantId: string;
  /** `{resource}/.default`. */
  readonly scope: string;
  /** A claims request as JSON text, checked before; default none. */
  readonly claims?: string;
  /** A GUID by which Entra's sign-in log knows the request: its `client-request-id`. */
  readonly correlationId: string;
  readonly mayTryAgain?: MayTryAgain;
}

/** What can stand in an `Authorization` header. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\u0021-\u007e]+$/.test(value);
}

/**
 * Gets downstream tokens from Entra through MSAL. Each exchange has an MSAL client of its own: a long-lived one scans
 * every token it ever stored, even when told to skip its cache, while a new one with static metadata costs 0.06 ms.
 */
export class EntraTokenClient {
  readonly #options: EntraTokenClientOptions;
  readonly #tenants = new LRUCache<string, TenantSettings>({ max: MAX_TENANTS });
  #rejected: { readonly at: number; readonly reason: string } | undefined;

  constructor(options: EntraTokenClientOptions) {
    this.#options = options;
  }

  /**
   * Exchanges an assertion (OAuth 2.0 on-behalf-of).
   *
   * @throws {ExchangeRefused} whenever there is no token, whatever the reason
   */
  onBehalfOf(request: OnBehalfOfRequest): Promise<DownstreamToken> {
    const { assertion, tenantId, scopes, claims, correlationId, mayTryAgain } = request;
    const clientCapabilities = request.handlesClaims ? ['cp1'] : [];
    return this.#acquire({ tenantId, clientCapabilities, correlationId, mayTryAgain }, (client) =>
      client.acquireTokenOnBehalfOf({
        oboAssertion: assertion,
        scopes: [...scopes],
        skipCache: true,
        correlationId,
        ...(claims === '' ? {} : { claims }),
      }),
    );
  }

  /**
   * Gets a token for the gateway itself (client credentials), for callers that are apps.
   *
   * @throws {ExchangeRefused} whenever there is no token, whatever the reason
   */
  asApplication(request: ApplicationRequest): Promise<DownstreamToken> {
    const { tenantId, scope, claims = '', correlationId, mayTryAgain } = request;
    return this.#acquire({ tenantId, clientCapabilities: [], correlationId, mayTryAgain }, (client) =>
      client.acquireTokenByClientCredential({
        scopes: [scope],
        skipCache: true,
        correlationId,
        ...(claims === '' ? {} : { claims }),
      }),
    );
  }

  /**
   * Why no exchange can work: Entra did not accept the gateway's own credential the last time, and that was a moment
   * ago. After a while the answer is `undefined` again, so that requests come and find out whether it was fixed.
   */
  whyNotReady(): string | undefined {
    const { at, reason } = this.#rejected ?? {};
    return at !== undefined && this.#options.monotonicMs() - at < REJECTION_LIFETIME_MS ? reason : undefined;
  }

  async #acquire(request: CommonRequest, acquire: Acquire): Promise<DownstreamToken> {
    try {
      const token = await this.#acquireWithRenewal(request, acquire);
      this.#rejected = undefined;
      return token;
    } catch (error) {
      const reason = whyRejected(error, request.tenantId === this.#options.authority.tenant);
      if (reason !== undefined) {
        this.#rejected = { at: this.#options.monotonicMs(), reason };
      } else if (!isTransient(error)) {
        this.#rejected = undefined;
      }
      throw error;
    }
  }

  async #acquireWithRenewal(request: CommonRequest, acquire: Acquire): Promise<DownstreamToken> {
    const before = await this.#readCredential();
    try {
      return await this.#acquireWith(before, request, acquire);
    } catch (error) {
      const after = isAboutCertificate(error) ? await this.#readCredential() : before;
      if (isDeepStrictEqual(after, before)) {
        throw error;
      }
      // The certificate was replaced while the old one was on its way; a new refusal counts.
      return this.#acquireWith(after, request, acquire);
    }
  }

  async #readCredential(): Promise<ClientCredential> {
    try {
      return await this.#options.credential();
    } catch (error) {
      const isKnown = error instanceof CredentialUnavailable;
      throw new ExchangeRefused({
        ...NOTHING_SAID,
        class: isKnown && error.isTransient ? 'retry' : 'misconfigured',
        error: isKnown ? error.message : 'the credential cannot be had',
      });
    }
  }

  async #acquireWith(credential: ClientCredential, request: CommonRequest, acquire: Acquire): Promise<DownstreamToken> {
    const network = new RecordingNetwork(this.#options.http, request.mayTryAgain);
    const askedAt = this.#options.now();
    let cause: unknown;
    try {
      const { accessToken } = (await acquire(this.#createClient(credential, request, network))) ?? {};
      // MSAL takes any answer without an `error` for a success, whatever its status and whatever the token is.
      if (network.response?.status === 200 && isToken(accessToken)) {
        return planToken(accessToken, askedAt, network.readLifetime());
      }
    } catch (error) {
      cause = error;
    }
    throw this.#explain(network, request.correlationId, cause);
  }

  #createClient(
    credential: ClientCredential,
    { tenantId, clientCapabilities }: CommonRequest,
    networkClient: RecordingNetwork,
  ): ConfidentialClientApplication {
    return new ConfidentialClientApplication({
      auth: { ...this.#describeTenant(tenantId), clientCapabilities, ...credential },
      system: { networkClient },
    });
  }

  #describeTenant(tenantId: string): TenantSettings {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) {
      return known;
    }
    const { authority, clientId } = this.#options;
    const { host } = new URL(authority.origin);
    // MSAL insists on an https authority. Only its name has to be one: the requests go to the endpoints below.
    const base = `https://${host}/${tenantId}`;
    const settings: TenantSettings = {
      clientId,
      authority: base,
      knownAuthorities: [host],
      cloudDiscoveryMetadata: JSON.stringify({
        tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`,
        metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
      }),
      authorityMetadata: JSON.stringify({
        issuer: `${base}/v2.0`,
        authorization_endpoint: authority.authorizeEndpoint(tenantId),
        token_endpoint: authority.tokenEndpoint(tenantId),
        jwks_uri: `${base}/discovery/v2.0/keys`,
      }),
    };
    this.#tenants.set(tenantId, settings);
    return settings;
  }

  #explain({ response, unreachable }: RecordingNetwork, correlationId: string, cause: unknown): ExchangeRefused {
    if (response !== undefined) {
      const { now, monotonicMs, authority } = this.#options;
      const context = { now: now(), monotonicMs: monotonicMs(), servesManyTenants: authority.servesManyTenants };
      return new ExchangeRefused(readRefusal(response, context), correlationId);
    }
    if (unreachable !== undefined) {
      return new ExchangeRefused({ ...NOTHING_SAID, class: 'retry', error: unreachable.message }, correlationId);
    }
    // MSAL gave up before it asked Entra: what we configured it with cannot work.
    return new ExchangeRefused({ ...NOTHING_SAID, class: 'misconfigured', error: describe(cause) });
  }
}

/** What MSAL is told of a tenant, so that it discovers nothing. */
type TenantSettings = Pick<
  Configuration['auth'],
  'clientId' | 'authority' | 'knownAuthorities' | 'cloudDiscoveryMetadata' | 'authorityMetadata'
>;

/** Tenants whose description is kept. */
const MAX_TENANTS = 1_000;

/** What the two kinds of requests have in common. */
interface CommonRequest {
  readonly tenantId: string;
  readonly clientCapabilities: string[];
  readonly correlationId: string;
  readonly mayTryAgain: MayTryAgain | undefined;
}

type Acquire = (client: ConfidentialClientApplication) => Promise<AuthenticationResult | null>;

/** How long a rejected credential keeps the gateway from being ready. */
const REJECTION_LIFETIME_MS = 30_000;

/**
 * Why nobody can be served, when that is what the error is about: the `error` of a refusal does not say it, because
 * `invalid_client` also comes for one permission or one tenant, so each of its codes has to.
 *
 * @param isOwnTenant true when it happened in the gateway's own tenant, the only one it serves
 */
function whyRejected(error: unknown, isOwnTenant: boolean): string | undefined {
  if (!(error instanceof ExchangeRefused) || error.refusal.class !== 'misconfigured') {
    return undefined;
  }
  const { error: name, codes, status } = error.refusal;
  if (status === 0) {
    return `the credential of the gateway cannot be used: ${name}`;
  }
  const faults = codes.flatMap((code) => ENTRA_CODES.get(code) ?? []).map(({ fault }) => fault);
  const isForEveryone =
    codes.length === 0
      ? name === 'invalid_client'
      : faults.length > 0 &&
        faults.every((fault) => fault === 'credential' || (fault === 'registration' && isOwnTenant));
  return isForEveryone ? 'Entra does not accept the credential of the gateway' : undefined;
}

/** A failure that passes, or one of the registration, says nothing about the credential. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof ExchangeRefused && (error.refusal.class === 'retry' || error.refusal.class === 'misconfigured')
  );
}

/** Codes with which Entra refuses a certificate that a newer one may have replaced. */
const CERTIFICATE_CODES: ReadonlySet<number> = new Set([700024, 700027, 1000502, 7000214, 7000274, 7000277]);

function isAboutCertificate(error: unknown): boolean {
  return error instanceof ExchangeRefused && error.refusal.codes.some((code) => CERTIFICATE_CODES.has(code));
}

/** What {@link EntraTokenClient} works with. */
export interface EntraTokenClientOptions {
  readonly authority: Authority;
  readonly clientId: string;
  readonly credential: CredentialSource;
  readonly http: EntraHttpClient;
  readonly now: Clock;
  readonly monotonicMs: Clock;
}

function describe(cause: unknown): string {
  return cause instanceof Error && 'errorCode' in cause ? `msal: ${String(cause.errorCode)}` : 'no usable answer';
}

import { isDeepStrictEqual } from 'node:util';
import type { AuthenticationResult, ConfidentialClientApplication, Configuration } from '@azure/msal-node';
import { LRUCache } from 'lru-cache';
import type { Authority } from '../entra/authority.ts';
import type { EntraHttpClient } from '../entra/http-client.ts';
import { planToken, type DownstreamToken } from '../session/downstream-token.ts';
import type { Clock } from '../resilience/clock.ts';
import { CredentialUnavailable, type ClientCredential, type CredentialSource } from './client-credential.ts';
import { ENTRA_CODES, FEDERATION_CODES } from './entra-codes.ts';
import { loadMsal } from './msal.ts';
import { RecordingNetwork, type MayTryAgain } from './recording-network.ts';
import { ExchangeRefused, NOTHING_SAID } from './exchange-refused.ts';
import { readRefusal } from './refusal.ts';

/** One exchange of a user's assertion. */
export interface OnBehalfOfRequest {
  readonly assertion: string;
  /** The `tid` of the assertion: guests are exchanged where their token was issued. */
  readonly tenantId: string;
  readonly scopes: readonly string[];
  /** A claims request, as JSON text that has been checked; empty for none. */
  readonly claims: string;
  /** True when the caller can take claims challenges, so that Entra may give tokens that downstreams challenge. */
  readonly handlesClaims: boolean;
  /** The `client-request-id`, a GUID by which Entra's sign-in log knows the exchange. */
  readonly correlationId: string;
  /** Default never. */
  readonly mayTryAgain?: MayTryAgain;
}

/** One request for a token of the client itself. */
export interface ApplicationRequest {
  readonly tenantId: string;
  /** `{resource}/.default`. */
  readonly scope: string;
  /** The client id of the agent identity that the token is to prove; default none. */
  readonly fmiPath?: string;
  /** A claims request, as JSON text that has been checked; default none. */
  readonly claims?: string;
  /** The `client-request-id`, a GUID by which Entra's sign-in log knows the request. */
  readonly correlationId: string;
  /** Default never. */
  readonly mayTryAgain?: MayTryAgain;
}

/** True for a text that can be sent in an `Authorization` header. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\u0021-\u007e]+$/.test(value);
}

/**
 * Gets downstream tokens from Entra through MSAL. Each exchange makes an MSAL client of its own: a long-lived client
 * scans every token that it has ever stored, even when it is told to skip its cache, while a new client with static
 * metadata takes 0.06 ms.
 */
export class EntraTokenClient {
  readonly #options: EntraTokenClientOptions;
  readonly #tenants = new LRUCache<string, TenantSettings>({ max: MAX_TENANTS });
  #rejected: { readonly at: number; readonly reason: string } | undefined;

  constructor(options: EntraTokenClientOptions) {
    this.#options = options;
  }

  /**
   * Exchanges an assertion for a downstream token (OAuth 2.0 on-behalf-of).
   *
   * @throws {ExchangeRefused} when there is no token, for any reason
   * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
   * @see https://www.rfc-editor.org/rfc/rfc7523#section-2.1
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
   * Gets a token for the client itself (client credentials), for callers that are apps.
   *
   * @throws {ExchangeRefused} when there is no token, for any reason
   * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
   */
  asApplication(request: ApplicationRequest): Promise<DownstreamToken> {
    const { tenantId, scope, fmiPath, claims = '', correlationId, mayTryAgain } = request;
    return this.#acquire({ tenantId, clientCapabilities: [], correlationId, mayTryAgain, fmiPath }, (client) =>
      client.acquireTokenByClientCredential({
        scopes: [scope],
        skipCache: true,
        correlationId,
        ...(fmiPath === undefined ? {} : { fmiPath }),
        ...(claims === '' ? {} : { claims }),
      }),
    );
  }

  /**
   * Makes the client of another app that proves itself in its own way. What Entra refuses to that app says nothing about
   * the gateway's credential, so that it does not make the gateway unready.
   */
  actAs(clientId: string, credential: CredentialSource): EntraTokenClient {
    return new EntraTokenClient({ ...this.#options, clientId, credential });
  }

  /**
   * Says why no exchange can succeed: Entra has refused the gateway's own credential within the last 30 seconds. After
   * that time the answer is `undefined` again, so that requests arrive and find out whether it was fixed.
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
      const isOwnTenant = request.tenantId === this.#options.authority.tenant;
      const reason = whyRejected(error, { isOwnTenant, isForAgent: request.fmiPath !== undefined });
      if (reason !== undefined) {
        this.#rejected = { at: this.#options.monotonicMs(), reason };
      } else if (!saysNothingOfCredential(error)) {
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
      const after = isAboutCredential(error, before) ? await this.#readCredential(before) : before;
      if (isDeepStrictEqual(after, before)) {
        throw error;
      }
      // The credential was replaced while the old one was in use; a refusal of the new one counts.
      return this.#acquireWith(after, request, acquire);
    }
  }

  async #readCredential(refused?: ClientCredential): Promise<ClientCredential> {
    try {
      return await this.#options.credential(refused);
    } catch (error) {
      if (error instanceof ExchangeRefused) {
        throw error;
      }
      const isKnown = error instanceof CredentialUnavailable;
      throw new ExchangeRefused({
        ...NOTHING_SAID,
        class: isKnown && error.isTransient ? 'retry' : 'misconfigured',
        error: isKnown ? error.message : 'the credential is not available',
      });
    }
  }

  async #acquireWith(credential: ClientCredential, request: CommonRequest, acquire: Acquire): Promise<DownstreamToken> {
    const network = new RecordingNetwork(this.#options.http, request.mayTryAgain);
    const askedAt = this.#options.now();
    let cause: unknown;
    try {
      const { accessToken } = (await acquire(this.#createClient(credential, request, network))) ?? {};
      // MSAL counts every answer without an `error` as a success, with any status and any token.
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
    const { ConfidentialClientApplication: Application } = loadMsal();
    return new Application({
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
    // MSAL requires an authority with https, but only its name: the requests go to the endpoints below.
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
    // MSAL gave up before it asked Entra, so it cannot work with this configuration.
    return new ExchangeRefused({ ...NOTHING_SAID, class: 'misconfigured', error: describe(cause) });
  }
}

/** What MSAL needs to know of a tenant, so that it does not have to discover it. */
type TenantSettings = Pick<
  Configuration['auth'],
  'clientId' | 'authority' | 'knownAuthorities' | 'cloudDiscoveryMetadata' | 'authorityMetadata'
>;

/** How many tenants' settings are kept. */
const MAX_TENANTS = 1_000;

/** What the two kinds of requests have in common. */
interface CommonRequest {
  readonly tenantId: string;
  readonly clientCapabilities: string[];
  readonly correlationId: string;
  readonly mayTryAgain: MayTryAgain | undefined;
  readonly fmiPath?: string | undefined;
}

type Acquire = (client: ConfidentialClientApplication) => Promise<AuthenticationResult | null>;

/** How long a refused credential keeps the gateway from being ready. */
const REJECTION_LIFETIME_MS = 30_000;

/**
 * Says why nobody can be served, when an error means that; `undefined` when it does not. Every code of the refusal must
 * mean it, because its `error` is not enough: `invalid_client` also comes for one permission or one tenant.
 *
 * @param request.isOwnTenant true when it happened in the gateway's own tenant, the only one that it serves
 * @param request.isForAgent true when a client assertion for an agent identity was asked for: then what is said of a
 *   registration, or of a federated identity, may be about that agent
 */
function whyRejected(
  error: unknown,
  { isOwnTenant, isForAgent }: { readonly isOwnTenant: boolean; readonly isForAgent: boolean },
): string | undefined {
  if (!(error instanceof ExchangeRefused) || error.refusal.class !== 'misconfigured') {
    return undefined;
  }
  const { error: name, codes, status } = error.refusal;
  if (status === 0) {
    return `the credential of the gateway cannot be used: ${name}`;
  }
  const known = codes.filter((code) => ENTRA_CODES.has(code));
  const isAboutEveryone = (code: number): boolean => {
    const fault = ENTRA_CODES.get(code)?.fault;
    return isForAgent
      ? fault === 'credential' && !FEDERATION_CODES.has(code)
      : fault === 'credential' || (fault === 'registration' && isOwnTenant);
  };
  const isForEveryone =
    codes.length === 0 ? name === 'invalid_client' && !isForAgent : known.length > 0 && known.every(isAboutEveryone);
  return isForEveryone ? 'Entra does not accept the credential of the gateway' : undefined;
}

/** True for an error that says nothing about the credential: an outage, or a fault of the registration. */
function saysNothingOfCredential(error: unknown): boolean {
  return (
    error instanceof ExchangeRefused && (error.refusal.class === 'retry' || error.refusal.class === 'misconfigured')
  );
}

/** The codes with which Entra refuses a certificate that a newer one may have replaced. */
const CERTIFICATE_CODES: ReadonlySet<number> = new Set([700024, 700027, 1000502, 7000214, 7000274, 7000277]);

/** The codes with which Entra refuses a secret that a newer one may have replaced. */
const SECRET_CODES: ReadonlySet<number> = new Set([7000215, 7000222]);

function isAboutCredential(error: unknown, { clientSecret }: ClientCredential): boolean {
  const codes = clientSecret === undefined ? CERTIFICATE_CODES : SECRET_CODES;
  return error instanceof ExchangeRefused && error.refusal.codes.some((code) => codes.has(code));
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

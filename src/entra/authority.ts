/** The places of one tenant at one Entra cloud. */
export class Authority {
  /** The address of the cloud, without a slash at the end. */
  readonly origin: string;
  /** A tenant id in lower case, or `organizations`. */
  readonly tenant: string;

  constructor(origin: string, tenant: string) {
    this.origin = origin;
    this.tenant = tenant;
  }

  /** The tenant's own address, without a slash at the end. */
  get tenantUrl(): string {
    return `${this.origin}/${this.tenant}`;
  }

  /** The OpenID configuration for tokens of a version; its issuer and keys are those of that version. */
  metadataUrl(version: TokenVersion): string {
    const base = version === 'v2' ? `${this.tenantUrl}/v2.0` : this.tenantUrl;
    return `${base}/.well-known/openid-configuration`;
  }

  /** The token endpoint of the tenant that issued an assertion. */
  tokenEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/oauth2/v2.0/token`;
  }

  authorizeEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/oauth2/v2.0/authorize`;
  }

  adminConsentEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/v2.0/adminconsent`;
  }

  /**
   * The `authorization_uri` of challenges. Microsoft's format asks for the tenant `common` while the realm is empty;
   * External ID has no such tenant.
   */
  get challengeUri(): string {
    return this.authorizeEndpoint(this.isExternalId ? this.tenant : 'common');
  }

  /** The issuer for RFC 9728 metadata. */
  get issuer(): string {
    return `${this.tenantUrl}/v2.0`;
  }

  /** The audience of federated tokens, which differs by cloud. */
  get tokenExchangeAudience(): string {
    return `api://AzureADTokenExchange${CLOUD_SUFFIXES.get(new URL(this.origin).hostname) ?? ''}`;
  }

  /** True for External ID (CIAM), which has no v1 tokens and no common tenant. */
  get isExternalId(): boolean {
    return new URL(this.origin).hostname.endsWith('.ciamlogin.com');
  }
}

/** The hosts of the clouds whose token exchange has a name of its own. */
const CLOUD_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ['login.microsoftonline.us', 'USGov'],
  ['login.usgovcloudapi.net', 'USGov'],
  ['login.partner.microsoftonline.cn', 'China'],
  ['login.chinacloudapi.cn', 'China'],
]);

/** Entra's two shapes of access tokens; the API's registration decides which one it gets. */
export type TokenVersion = 'v1' | 'v2';

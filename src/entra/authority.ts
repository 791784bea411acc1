import { isLoopback } from '../network/loopback.ts';

/** The addresses of one tenant in one Entra cloud. */
export class Authority {
  /** The origin of the cloud's sign-in host, such as `https://login.microsoftonline.com`. */
  readonly origin: string;
  /** A tenant id in lower case, or `organizations`. */
  readonly tenant: string;
  readonly #hostname: string;

  constructor(origin: string, tenant: string) {
    this.origin = origin;
    this.tenant = tenant;
    this.#hostname = new URL(origin).hostname;
  }

  /** The tenant's own address, without a slash at the end. */
  get tenantUrl(): string {
    return `${this.origin}/${this.tenant}`;
  }

  /** True when callers of many tenants are served, each at the endpoints of its own tenant. */
  get servesManyTenants(): boolean {
    return this.tenant === 'organizations';
  }

  /**
   * The address of the OpenID configuration, which has the issuer and the keys of one version of tokens.
   *
   * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
   */
  metadataUrl(version: TokenVersion): string {
    const base = version === 'v2' ? `${this.tenantUrl}/v2.0` : this.tenantUrl;
    return `${base}/.well-known/openid-configuration`;
  }

  /** The token endpoint of a tenant; an assertion is exchanged at the tenant that issued it. */
  tokenEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/oauth2/v2.0/token`;
  }

  /** The authorization endpoint of a tenant, where users sign in and consent. */
  authorizeEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/oauth2/v2.0/authorize`;
  }

  /** Where a device without a browser begins to sign in (RFC 8628 §3.1). */
  deviceAuthorizationEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/oauth2/v2.0/devicecode`;
  }

  /**
   * The page where an administrator consents for the whole tenant.
   *
   * @see https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
   */
  adminConsentEndpoint(tenantId: string): string {
    return `${this.origin}/${tenantId}/v2.0/adminconsent`;
  }

  /**
   * The `authorization_uri` of challenges. Microsoft's format has the tenant `common` with an empty realm. External ID
   * has no such tenant, whether it is called by its own host or by a domain of the customer.
   *
   * @param published the issuer that Entra's own metadata names; empty while it is not known
   * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
   */
  challengeUri(published: string): string {
    const hasCommonTenant = (CLOUD_BY_HOST.has(this.#hostname) || isLoopback(this.#hostname)) && !isExternal(published);
    return this.authorizeEndpoint(hasCommonTenant ? 'common' : this.tenant);
  }

  /**
   * The issuer for the metadata of the protected resource (RFC 9728). External ID names its issuers by the tenant id,
   * whatever its host is called.
   *
   * @param published the issuer that Entra's own metadata names; empty while it is not known
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
   */
  nameIssuer(published: string): string {
    if (isIssuerAddress(published)) {
      return published;
    }
    const origin = this.isExternalId ? `https://${this.tenant}.ciamlogin.com` : this.origin;
    return `${origin}/${this.tenant}/v2.0`;
  }

  /** The audience of the federated tokens that prove the gateway, which differs by cloud. */
  get tokenExchangeAudience(): string {
    return `api://AzureADTokenExchange${this.#cloud.suffix}`;
  }

  /** The address of Microsoft Graph in this cloud; scopes without a resource belong to it. */
  get graph(): string {
    return this.#cloud.graphs[0];
  }

  /** True for the Microsoft Graph of another cloud, for which this cloud gives no tokens. */
  isForeignGraph(resource: string): boolean {
    return !this.#cloud.graphs.includes(resource) && CLOUDS.some(({ graphs }) => graphs.includes(resource));
  }

  /** The scope with its resource in front; the scopes of OpenID Connect have no resource. */
  qualifyScope(scope: string): string {
    return scope.includes('/') || OPENID_SCOPES.has(scope) ? scope : `${this.graph}/${scope}`;
  }

  /** The resource of a scope: the part before its last slash. */
  resourceOf(scope: string): string {
    return scope.includes('/') ? scope.slice(0, scope.lastIndexOf('/')) : this.graph;
  }

  /** True for External ID (CIAM), which has no v1 tokens and no common tenant. */
  get isExternalId(): boolean {
    return isExternal(this.origin);
  }

  get #cloud(): Cloud {
    return CLOUD_BY_HOST.get(this.#hostname) ?? PUBLIC_CLOUD;
  }
}

/** One cloud of Entra: its hosts, and what else differs between clouds. */
interface Cloud {
  /** The hosts of its sign-in pages: first the official one, then older ones. */
  readonly hosts: readonly string[];
  /** The end of the audience of federated tokens. */
  readonly suffix: string;
  /** The addresses of Microsoft Graph: first the usual one, then others. */
  readonly graphs: readonly [string, ...string[]];
}

const PUBLIC_CLOUD: Cloud = {
  hosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
  suffix: '',
  graphs: ['https://graph.microsoft.com'],
};

/**
 * Every cloud. Any other host is External ID, a customer's domain for it, or a loopback host. The US Department of
 * Defense has a Graph of its own, but no sign-in host.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
const CLOUDS: readonly Cloud[] = [
  PUBLIC_CLOUD,
  {
    hosts: ['login.microsoftonline.us', 'login.usgovcloudapi.net', 'login-us.microsoftonline.com'],
    suffix: 'USGov',
    graphs: ['https://graph.microsoft.us', 'https://dod-graph.microsoft.us'],
  },
  {
    hosts: ['login.partner.microsoftonline.cn', 'login.chinacloudapi.cn'],
    suffix: 'China',
    graphs: ['https://microsoftgraph.chinacloudapi.cn'],
  },
  { hosts: ['login.microsoftonline.de'], suffix: '', graphs: ['https://graph.microsoft.de'] },
  { hosts: ['login.sovcloud-identity.fr'], suffix: 'France', graphs: ['https://graph.svc.sovcloud.fr'] },
  { hosts: ['login.sovcloud-identity.de'], suffix: 'Germany', graphs: ['https://graph.svc.sovcloud.de'] },
  { hosts: ['login.sovcloud-identity.sg'], suffix: '', graphs: ['https://graph.svc.sovcloud.sg'] },
];

const CLOUD_BY_HOST: ReadonlyMap<string, Cloud> = new Map(
  CLOUDS.flatMap((cloud) => cloud.hosts.map((host) => [host, cloud] as const)),
);

/**
 * The scopes of OpenID Connect, which belong to no API.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims
 * @see https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
 */
const OPENID_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'offline_access']);

/** True for an address of External ID. */
function isExternal(address: string): boolean {
  return URL.canParse(address) && new URL(address).hostname.endsWith('.ciamlogin.com');
}

/**
 * True for an address that can be an issuer: https (or http on this machine), without query and fragment. The template
 * for many tenants, with `{tenantid}` in it, is none.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-2
 */
function isIssuerAddress(issuer: string): boolean {
  if (!URL.canParse(issuer) || issuer.includes('{')) {
    return false;
  }
  const { protocol, hostname, search, hash } = new URL(issuer);
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSecure && search === '' && hash === '';
}

/** The two versions of Entra's access tokens; the API's registration decides which one it gets. */
export type TokenVersion = 'v1' | 'v2';

import { isLoopback } from '../network/loopback.ts';

/** The places of one tenant at one Entra cloud. */
export class Authority {
  /** The address of the cloud, without a slash at the end. */
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

  /** True where callers of many tenants are served, each at its own. */
  get servesManyTenants(): boolean {
    return this.tenant === 'organizations';
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
   * External ID has no such tenant, whether it is called by its own host or by a domain of the customer.
   *
   * @param published the issuer that Entra's own metadata names; empty while it is not known
   */
  challengeUri(published: string): string {
    const hasCommonTenant = (CLOUD_BY_HOST.has(this.#hostname) || isLoopback(this.#hostname)) && !isExternal(published);
    return this.authorizeEndpoint(hasCommonTenant ? 'common' : this.tenant);
  }

  /**
   * The issuer for RFC 9728 metadata. External ID names its issuers by the tenant id, whatever its host is called.
   *
   * @param published the issuer that Entra's own metadata names; empty while it is not known
   */
  nameIssuer(published: string): string {
    if (isIssuerAddress(published)) {
      return published;
    }
    const origin = this.isExternalId ? `https://${this.tenant}.ciamlogin.com` : this.origin;
    return `${origin}/${this.tenant}/v2.0`;
  }

  /** The audience of federated tokens, which differs by cloud. */
  get tokenExchangeAudience(): string {
    return `api://AzureADTokenExchange${this.#cloud.suffix}`;
  }

  /** Microsoft Graph of this cloud, to which scopes without a resource belong. */
  get graph(): string {
    return this.#cloud.graphs[0];
  }

  /** True for Microsoft Graph of another cloud, for which this one gives no tokens. */
  isForeignGraph(resource: string): boolean {
    return !this.#cloud.graphs.includes(resource) && CLOUDS.some(({ graphs }) => graphs.includes(resource));
  }

  /** Names a scope with its resource; those of OpenID Connect have none. */
  qualifyScope(scope: string): string {
    return scope.includes('/') || OPENID_SCOPES.has(scope) ? scope : `${this.graph}/${scope}`;
  }

  /** The resource of a scope, which is what stands before its last slash. */
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

/** What differs between the clouds of Entra besides their hosts. */
interface Cloud {
  /** Where people sign in: the name that counts and older ones. */
  readonly hosts: readonly string[];
  /** The end of the audience of federated tokens. */
  readonly suffix: string;
  /** The addresses of Microsoft Graph: that of most and others. */
  readonly graphs: readonly [string, ...string[]];
}

const PUBLIC_CLOUD: Cloud = {
  hosts: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
  suffix: '',
  graphs: ['https://graph.microsoft.com'],
};

/**
 * Every cloud; all other hosts are External ID, a domain of a customer of it, or a loopback host. The US Department of
 * Defense has a Graph of its own, but no host for signing in.
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

/** The scopes that no API has (OpenID Connect Core §3.1.2.1 and §11). */
const OPENID_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'offline_access']);

/** True for an address of External ID. */
function isExternal(address: string): boolean {
  return URL.canParse(address) && new URL(address).hostname.endsWith('.ciamlogin.com');
}

/** RFC 8414 §2: https (http on this machine), no query and no fragment; the template for many tenants is no address of an issuer. */
function isIssuerAddress(issuer: string): boolean {
  if (!URL.canParse(issuer) || issuer.includes('{')) {
    return false;
  }
  const { protocol, hostname, search, hash } = new URL(issuer);
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSecure && search === '' && hash === '';
}

/** Entra's two shapes of access tokens; the API's registration decides which one it gets. */
export type TokenVersion = 'v1' | 'v2';

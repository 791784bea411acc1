import { createHash, X509Certificate } from 'node:crypto';

/** A directory of one company. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly domain: string;
}

/** A person. */
export interface User {
  /** Short name for pages, tests and the command line. */
  readonly alias: string;
  name: string;
  /** What is special about them, in a few words. */
  readonly about: string;
  userPrincipalName: string;
  readonly homeTenant: string;
  /** Object id in the home tenant. */
  readonly oid: string;
  /** Object ids by the tenants in which this person is a guest. */
  guestIn: Record<string, string>;
  /** For the sign-ins that take one; the pages ask for none. Undefined: there is none to sign in with. */
  password: string | undefined;
  /** Whether a second factor is registered. */
  canDoMfa: boolean;
  /** Where the codes of the second factor go in native authentication; default the user principal name. */
  mfaEmail: string | undefined;
  /** `blocked`: may not sign in. `revoked`: every grant so far is refused until the next sign-in. */
  status: 'active' | 'blocked' | 'revoked';
  /** Unix seconds; what was issued earlier is refused. */
  tokensValidFrom: number | undefined;
}

/** Where an app may receive a sign-in answer, and how it may redeem it. */
export interface RedirectUri {
  readonly uri: string;
  readonly kind: 'native' | 'spa' | 'web';
}

/** A key that an app registered to prove itself. */
interface Certificate {
  /** base64url SHA-256 of the certificate's DER (`x5t#S256`). */
  readonly thumbprintSha256: string;
  /** base64url SHA-1 of the certificate's DER (`x5t`). */
  readonly thumbprint?: string | undefined;
  /** PEM of the certificate or of its public key. */
  readonly publicKey: string;
}

/** A trust in tokens of another issuer, used in place of a secret. */
interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  /** PEM of the issuer's public key. */
  readonly publicKey: string;
}

/** Something that people have to tell of themselves when they sign up. */
export interface RequiredAttribute {
  /** As Entra calls it: `displayName`, `city`, … */
  readonly name: string;
  /** Regular expression of the values that are allowed. */
  readonly pattern: string;
}

/** How people sign up to an app that asks for their credentials itself. */
export interface NativeAuthentication {
  /** What they sign in with from then on. */
  signUpWith: 'password' | 'emailCode';
  requiredAttributes: RequiredAttribute[];
}

/** What makes an app registration the blueprint of agent identities. */
interface AgentBlueprint {
  /** Whether it also gets tokens without an agent identity. Entra is reported to refuse that, and its pages do not say. */
  getsOwnTokens: boolean;
}

/** What makes a service principal an agent identity. */
interface AgentIdentity {
  /** The client id of its blueprint. */
  blueprint: string;
  isEnabled: boolean;
}

/** An app registration together with its service principal. */
export interface App {
  /** Short name for pages, tests and the command line. */
  readonly alias: string;
  readonly name: string;
  readonly clientId: string;
  /** Object id of the service principal. */
  readonly servicePrincipalId: string;
  /** Tenants where it is installed. */
  tenants: string[];
  /** Only agent identity blueprints have this. */
  blueprint?: AgentBlueprint | undefined;
  /** Only agent identities have this. */
  agent?: AgentIdentity | undefined;
  /** App ID URIs. */
  identifierUris: string[];
  /** Delegated scopes it exposes. */
  scopes: string[];
  /** App roles it exposes. */
  appRoles: string[];
  requestedAccessTokenVersion: 1 | 2;
  /** Optional claims of its access tokens: `xms_cc`, `acrs`, `idtyp`. */
  optionalClaims: string[];
  publicClient: boolean;
  secrets: string[];
  certificates: Certificate[];
  federatedCredentials: FederatedCredential[];
  redirectUris: RedirectUri[];
  /** Undefined: people sign in to it only in a browser. */
  nativeAuthentication: NativeAuthentication | undefined;
  /** App roles an administrator granted it, by the client id of the resource. */
  grantedAppRoles: Record<string, string[]>;
}

/** Delegated permissions that somebody agreed to. */
export interface Consent {
  readonly tenant: string;
  /** Object id in that tenant, or `everyone` for an administrator's consent. */
  readonly user: string;
  readonly client: string;
  readonly resource: string;
  readonly scopes: string[];
}

/** A Conditional Access policy. */
export interface Policy {
  readonly id: string;
  readonly name: string;
  /** Client id of the resource it guards. */
  on: string;
  /** Aliases of the people it applies to. */
  users: 'all' | string[];
  requires: 'mfa' | 'compliantDevice' | 'termsOfUse' | 'block';
  enabled: boolean;
}

/** An authentication context and the control behind it. */
interface AuthenticationContext {
  readonly id: string;
  requires: 'mfa' | 'nothing';
}

/** Everything the emulator knows; all of it may be changed while it runs. */
export interface World {
  tenants: Tenant[];
  users: User[];
  apps: App[];
  consents: Consent[];
  policies: Policy[];
  authenticationContexts: AuthenticationContext[];
}

/** Describes a PEM certificate as an app registration keeps it. */
export function describeCertificate(pem: string): Certificate {
  const der = new X509Certificate(pem).raw;
  return {
    thumbprintSha256: createHash('sha256').update(der).digest('base64url'),
    thumbprint: createHash('sha1').update(der).digest('base64url'),
    publicKey: pem,
  };
}

/** Finds an app by client id or alias. */
export function findApp(world: World, name: string): App | undefined {
  return world.apps.find((candidate) => candidate.clientId === name || candidate.alias === name);
}

/** Finds a tenant by id or domain. */
export function findTenant(world: World, name: string): Tenant | undefined {
  return world.tenants.find((tenant) => tenant.id === name || tenant.domain === name);
}

/** Finds a person by alias, user principal name or any of their object ids. */
export function findUser(world: World, name: string): User | undefined {
  return world.users.find(
    (person) =>
      [person.alias, person.userPrincipalName, person.oid].includes(name) ||
      Object.values(person.guestIn).includes(name),
  );
}

/** The object id of a person in a tenant, unless they are a stranger there. */
export function objectIdIn(person: User, tenantId: string): string | undefined {
  return person.homeTenant === tenantId ? person.oid : person.guestIn[tenantId];
}

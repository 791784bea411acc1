import { createPublicKey } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import type { ClientAuthenticationClass } from './access-token.ts';
import { demandAgentAssertion } from './agent-assertion.ts';
import { unixNow, type Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import { findApp, findTenant, type App } from './world-model.ts';

/** How a client proved itself. */
export type CredentialKind = 'none' | 'secret' | 'basic' | 'certificate' | 'federated';

/** A client assertion as it was presented. */
export interface ClientAssertion {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
}

/** What a token request says of its client. */
export interface ClientCredentials {
  readonly clientId: string | undefined;
  readonly kind: CredentialKind;
  readonly secret: string | undefined;
  readonly assertion: string | undefined;
  readonly decodedAssertion: ClientAssertion | undefined;
}

/** Finds the client's credentials in the form or the `Authorization` header. */
export function readClientCredentials(form: URLSearchParams, authorization: string | undefined): ClientCredentials {
  const basic = readBasic(authorization);
  const assertion = form.get('client_assertion') ?? undefined;
  const decodedAssertion = assertion === undefined ? undefined : decodeAssertion(assertion);
  const clientId = form.get('client_id') ?? basic?.clientId;
  const secret = form.get('client_secret') ?? basic?.secret;
  const kind = kindOf({ clientId, hasBasic: basic !== undefined, secret, assertion, decodedAssertion });
  return { clientId, kind, secret, assertion, decodedAssertion };
}

/**
 * Finds the client and checks that it is who it says.
 * @throws {EntraError} 900144, 700016, 7000218, 700025 and those of the credential
 */
export async function authenticateClient(
  directory: Directory,
  tenant: string,
  credentials: ClientCredentials,
): Promise<App> {
  const client = demandClient(directory, credentials.clientId);
  if (client.publicClient) {
    if (credentials.kind !== 'none') {
      throw new EntraError(700025);
    }
    return client;
  }
  if (credentials.kind === 'none') {
    throw new EntraError(7000218);
  }
  if (credentials.assertion === undefined) {
    demandSecret(directory, client, credentials.secret);
  } else {
    await demandAssertion(directory, tenant, client, credentials.assertion);
  }
  return client;
}

/** The value of `azpacr` for a credential. */
export function classOf(kind: CredentialKind): ClientAuthenticationClass {
  if (kind === 'none') {
    return '0';
  }
  return kind === 'secret' || kind === 'basic' ? '1' : '2';
}

function demandClient({ world }: Directory, clientId: string | undefined): App {
  if (!clientId) {
    throw new EntraError(900144, { text: "The request body lacks the parameter 'client_id'." });
  }
  const client = findApp(world, clientId);
  if (client?.clientId !== clientId) {
    throw new EntraError(700016);
  }
  return client;
}

function demandSecret({ switches }: Directory, client: App, secret: string | undefined): void {
  if (switches.secretExpired) {
    throw new EntraError(7000222);
  }
  if (secret === undefined || !client.secrets.includes(secret)) {
    throw new EntraError(7000215);
  }
}

async function demandAssertion(directory: Directory, tenant: string, client: App, assertion: string): Promise<void> {
  if (client.agent !== undefined) {
    await demandAgentAssertion(directory, tenant, client, assertion);
    return;
  }
  const decoded = decodeAssertion(assertion);
  if (!decoded) {
    throw new EntraError(700027);
  }
  if (decoded.payload.iss === client.clientId) {
    await demandCertificate(directory, tenant, client, assertion);
  } else {
    await demandFederation(client, assertion, decoded.payload);
  }
}

async function demandCertificate(
  { origin, world, switches }: Directory,
  tenant: string,
  client: App,
  assertion: string,
): Promise<void> {
  const { 'x5t#S256': thumbprintSha256, x5t } = decodeProtectedHeader(assertion);
  const certificate = client.certificates.find((registered) =>
    thumbprintSha256 === undefined
      ? x5t !== undefined && registered.thumbprint === x5t
      : registered.thumbprintSha256 === thumbprintSha256,
  );
  if (!certificate) {
    throw new EntraError(700027);
  }
  if (switches.certificateRevoked) {
    throw new EntraError(7000214);
  }
  await demandSignature(assertion, certificate.publicKey);
  const payload = decodeJwt(assertion);
  demandInTime(payload);
  if (payload.sub !== client.clientId) {
    throw new EntraError(700021);
  }
  const names = [tenant, findTenant(world, tenant)?.id, findTenant(world, tenant)?.domain];
  const audiences = names.flatMap((name) => [`${origin}/${name}/oauth2/v2.0/token`, `${origin}/${name}/v2.0`]);
  if (!audiences.includes(String(payload.aud))) {
    throw new EntraError(700023);
  }
}

async function demandFederation(client: App, assertion: string, { iss, sub, aud }: JWTPayload): Promise<void> {
  const trusted = client.federatedCredentials.find(({ issuer, subject }) => issuer === iss && subject === sub);
  if (!trusted || aud !== 'api://AzureADTokenExchange') {
    throw new EntraError(700213);
  }
  await demandSignature(assertion, trusted.publicKey);
  demandInTime(decodeJwt(assertion));
}

async function demandSignature(assertion: string, publicKey: string): Promise<void> {
  try {
    await compactVerify(assertion, createPublicKey(publicKey), { algorithms: ['PS256', 'RS256'] });
  } catch {
    throw new EntraError(700027);
  }
}

function demandInTime({ nbf = 0, exp = 0 }: JWTPayload): void {
  if (exp < unixNow() || nbf > unixNow() + 300) {
    throw new EntraError(700024);
  }
}

function readBasic(authorization: string | undefined): { clientId: string; secret: string } | undefined {
  const encoded = /^Basic (\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) {
    return undefined;
  }
  const [clientId = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  return { clientId: decodeURIComponent(clientId), secret: decodeURIComponent(secret.join(':')) };
}

function decodeAssertion(assertion: string): { header: Record<string, unknown>; payload: JWTPayload } | undefined {
  try {
    return { header: { ...decodeProtectedHeader(assertion) }, payload: decodeJwt(assertion) };
  } catch {
    return undefined;
  }
}

interface PresentedCredential {
  readonly clientId: string | undefined;
  readonly hasBasic: boolean;
  readonly secret: string | undefined;
  readonly assertion: string | undefined;
  readonly decodedAssertion: ClientAssertion | undefined;
}

function kindOf({ clientId, hasBasic, secret, assertion, decodedAssertion }: PresentedCredential): CredentialKind {
  if (assertion !== undefined) {
    return decodedAssertion?.payload['iss'] === clientId ? 'certificate' : 'federated';
  }
  if (hasBasic) {
    return 'basic';
  }
  return secret === undefined ? 'none' : 'secret';
}

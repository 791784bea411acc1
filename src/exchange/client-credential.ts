import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import type { Configuration } from '@azure/msal-node';
import { EntraHttpClient } from '../entra/http-client.ts';
import { RereadFiles, type FilesListener } from '../resilience/reread-files.ts';
import { SecretFile } from '../resilience/secret-file.ts';
import { CredentialLog, type CredentialReports } from '../telemetry/credential-log.ts';
import { createAssertionSigner } from './client-assertion.ts';
import { loadMsal } from './msal.ts';
import { RecordingNetwork } from './recording-network.ts';

/** How the gateway proves itself to Entra, as gateway.yaml says it: exactly one of the members is present. */
export interface CredentialSettings {
  readonly secret?: string | undefined;
  /** The path of a file with a client secret. */
  readonly secretFile?: string | undefined;
  /** Paths of PEM files. */
  readonly certificate?: CertificateFiles | undefined;
  /** The path of a file with a token that the platform keeps fresh. */
  readonly federatedTokenFile?: string | undefined;
  readonly managedIdentity?: { readonly clientId: string } | undefined;
}

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The part of MSAL's configuration that holds the credential. */
export type ClientCredential = Pick<Configuration['auth'], 'clientSecret' | 'clientAssertion'>;

/** The gateway's credential is not available; the message says which one and why, and never quotes it. */
export class CredentialUnavailable extends Error {
  override readonly name = 'CredentialUnavailable';
  /** True when the next try may find it. */
  readonly isTransient: boolean;

  constructor(message: string, isTransient = false) {
    super(message);
    this.isTransient = isTransient;
  }
}

/**
 * Gives the credential for one exchange, read from its source anew where the source can change.
 *
 * @param refused the credential that Entra has just refused; absent at the first try of an exchange
 * @throws {CredentialUnavailable} when its source fails
 * @throws {ExchangeRefused} when its source is Entra, which refuses
 */
export type CredentialSource = (refused?: ClientCredential) => Promise<ClientCredential>;

/**
 * Makes the source of the credential that gateway.yaml names.
 *
 * @param tokenExchangeAudience the audience of federated tokens in this cloud
 * @param reports get to know when a certificate or a secret in a file has changed, or cannot be read any more
 */
export function createCredentialSource(
  settings: CredentialSettings,
  tokenExchangeAudience: string,
  reports?: CredentialReports,
): CredentialSource {
  const logOf = (key: keyof CredentialSettings) => reports && new CredentialLog(reports, `identity.credential.${key}`);
  if (settings.certificate !== undefined) {
    return fromCertificate(settings.certificate, logOf('certificate'));
  }
  if (settings.secretFile !== undefined) {
    return fromSecretFile(settings.secretFile, logOf('secretFile'));
  }
  if (settings.federatedTokenFile !== undefined) {
    return fromTokenFile(settings.federatedTokenFile);
  }
  if (settings.managedIdentity !== undefined) {
    return fromManagedIdentity(settings.managedIdentity.clientId, tokenExchangeAudience);
  }
  const clientSecret = settings.secret ?? '';
  return () => Promise.resolve({ clientSecret });
}

/** Proves the gateway by a secret in a file, which is read again when it changes. */
function fromSecretFile(file: string, listener: FilesListener | undefined): CredentialSource {
  const secret = new SecretFile(file, listener);
  // Read at once, so that there is a secret to stay with if the file goes before the first exchange.
  void secret.read().catch(() => {});
  return async () => {
    try {
      return { clientSecret: await secret.read() };
    } catch (error) {
      throw new CredentialUnavailable(`identity.credential.secretFile: ${(error as Error).message}`);
    }
  };
}

/**
 * Proves the gateway by client assertions that a certificate signs. The files are read again when they change. While
 * the two do not fit together, because only one of them has been replaced yet, the last good pair stays in use.
 */
function fromCertificate(files: CertificateFiles, listener: FilesListener | undefined): CredentialSource {
  const pair = new RereadFiles<LoadedCertificate>({
    files: [files.cert, files.key],
    load: (before) => readCertificate(files, before),
    explain: (error) => (error instanceof CredentialUnavailable ? error : unreadable('certificate', error)),
    listener,
  });
  return async () => (await pair.read()).credential;
}

interface LoadedCertificate {
  readonly chain: string;
  readonly credential: ClientCredential;
}

/** @param before the last good pair, which is given again when the files have only been rewritten */
async function readCertificate(
  { cert, key }: CertificateFiles,
  before: LoadedCertificate | undefined,
): Promise<LoadedCertificate> {
  const [chain, keyText] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
  const certificate = new X509Certificate(chain);
  const privateKey = createPrivateKey(keyText);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CredentialUnavailable('identity.credential.certificate has a key that belongs to another one');
  }
  if (privateKey.asymmetricKeyType !== 'rsa') {
    throw new CredentialUnavailable('identity.credential.certificate is not RSA, which Entra needs');
  }
  return before?.chain === chain
    ? before
    : { chain, credential: { clientAssertion: createAssertionSigner({ certificate, chain, privateKey }) } };
}

/** Proves the gateway by the token in a file. Reads it for each exchange, because the platform replaces it in time. */
function fromTokenFile(file: string): CredentialSource {
  return async () => {
    const clientAssertion = await readTokenFile(file);
    if (clientAssertion === '') {
      throw new CredentialUnavailable('identity.credential.federatedTokenFile is empty');
    }
    return { clientAssertion };
  };
}

async function readTokenFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw unreadable('federatedTokenFile', error);
  }
}

/** An error with the key and the code of the fault; Node's own message could quote the file. */
function unreadable(key: keyof CredentialSettings, error: unknown): CredentialUnavailable {
  const { code, name } = error as NodeJS.ErrnoException;
  return new CredentialUnavailable(`identity.credential.${key} cannot be read (${code ?? name})`);
}

/** The time for a call to the instance metadata endpoint; it is short, because the endpoint is on the same host. */
const METADATA_DEADLINE_MS = 3_000;

/**
 * Proves the gateway by the token that a user-assigned managed identity gets for Entra's token exchange. MSAL keeps
 * that token, and the network of its first application, for the whole process, so that the cause of a failure can only
 * be read from MSAL's error.
 *
 * @see https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 */
function fromManagedIdentity(clientId: string, audience: string): CredentialSource {
  const network = new RecordingNetwork(new EntraHttpClient(METADATA_DEADLINE_MS, { useProxy: false }));
  return async () => {
    const { ManagedIdentityApplication } = loadMsal();
    const application = new ManagedIdentityApplication({
      managedIdentityIdParams: { userAssignedClientId: clientId },
      system: { networkClient: network, disableInternalRetries: true },
    });
    let status: number | 'no answer' = 200;
    try {
      const { accessToken } = await application.acquireToken({ resource: audience });
      // MSAL counts every answer without an `error` as a success.
      if (accessToken) {
        return { clientAssertion: accessToken };
      }
    } catch (error) {
      status = (error as { readonly status?: number }).status ?? 'no answer';
    }
    throw new CredentialUnavailable(
      `identity.credential.managedIdentity got no token (${status})`,
      status === 'no answer' || !isLasting(status),
    );
  };
}

/**
 * True for a status that does not pass by itself, by Microsoft's guide to the endpoint.
 *
 * @see https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling
 */
function isLasting(status: number): boolean {
  return status >= 400 && status < 500 && ![404, 408, 410, 429].includes(status);
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { ManagedIdentityApplication, type Configuration } from '@azure/msal-node';
import { EntraHttpClient } from '../entra/http-client.ts';
import { createAssertionSigner } from './client-assertion.ts';
import { RecordingNetwork } from './recording-network.ts';

/** How the gateway proves itself to Entra, as gateway.yaml says it: exactly one of the members is there. */
export interface CredentialSettings {
  readonly secret?: string | undefined;
  /** Paths of PEM files. */
  readonly certificate?: CertificateFiles | undefined;
  /** The path of a file that someone else keeps fresh. */
  readonly federatedTokenFile?: string | undefined;
  readonly managedIdentity?: { readonly clientId: string } | undefined;
}

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The part of MSAL's configuration that holds the credential. */
export type ClientCredential = Pick<Configuration['auth'], 'clientSecret' | 'clientAssertion'>;

/** The gateway's credential could not be had; the message says which and why, and never quotes it. */
export class CredentialUnavailable extends Error {
  override readonly name = 'CredentialUnavailable';
  /** True when it may well be there the next time. */
  readonly isTransient: boolean;

  constructor(message: string, isTransient = false) {
    super(message);
    this.isTransient = isTransient;
  }
}

/**
 * Gives the credential for one exchange, as fresh as its source.
 *
 * @throws {CredentialUnavailable} when its source fails
 */
export type CredentialSource = () => Promise<ClientCredential>;

/**
 * Makes the source of the credential that gateway.yaml names.
 *
 * @param tokenExchangeAudience the audience of federated tokens in this cloud
 */
export function createCredentialSource(settings: CredentialSettings, tokenExchangeAudience: string): CredentialSource {
  if (settings.certificate !== undefined) {
    return fromCertificate(settings.certificate);
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

/**
 * A certificate signs client assertions. The files are read again when they change; while they do not fit together,
 * because only one of them is new yet, the last pair that did stays in use.
 */
function fromCertificate(files: CertificateFiles): CredentialSource {
  let version = '';
  let loaded: LoadedCertificate | undefined;
  return async () => {
    try {
      const found = await versionOf(files);
      if (found !== version) {
        loaded = await readCertificate(files, loaded);
        version = found;
      }
    } catch (error) {
      if (loaded === undefined) {
        throw error instanceof CredentialUnavailable ? error : unreadable('certificate', error);
      }
    }
    return loaded?.credential ?? {};
  };
}

async function versionOf({ cert, key }: CertificateFiles): Promise<string> {
  const [first, second] = await Promise.all([stat(cert), stat(key)]);
  return [first, second].map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(' ');
}

interface LoadedCertificate {
  readonly chain: string;
  readonly credential: ClientCredential;
}

/** @param before what stays when the files were only written again */
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

/** The file is read for each exchange: whoever writes it replaces it before the token in it expires. */
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

/** Names the key and the code of the fault; Node's own message could quote the file. */
function unreadable(key: keyof CredentialSettings, error: unknown): CredentialUnavailable {
  const { code, name } = error as NodeJS.ErrnoException;
  return new CredentialUnavailable(`identity.credential.${key} cannot be read (${code ?? name})`);
}

/** Short, because the instance metadata endpoint is on the same host. */
const METADATA_DEADLINE_MS = 3_000;

/**
 * A user-assigned managed identity proves itself by a token for Entra's token exchange. MSAL keeps that token, and the
 * network of its first application, for the whole process: what went wrong can only be read from its error.
 */
function fromManagedIdentity(clientId: string, audience: string): CredentialSource {
  const network = new RecordingNetwork(new EntraHttpClient(METADATA_DEADLINE_MS, { useProxy: false }));
  return async () => {
    const application = new ManagedIdentityApplication({
      managedIdentityIdParams: { userAssignedClientId: clientId },
      system: { networkClient: network, disableInternalRetries: true },
    });
    let status: number | 'no answer' = 200;
    try {
      const { accessToken } = await application.acquireToken({ resource: audience });
      // MSAL takes any answer without an `error` for a success.
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

/** Microsoft's guide to the endpoint: all but these pass by themselves. */
function isLasting(status: number): boolean {
  return status >= 400 && status < 500 && ![404, 408, 410, 429].includes(status);
}

import { constants, createPrivateKey, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type Server as TlsServer, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { RereadFiles, type FilesListener } from '../resilience/reread-files.ts';
import { readCertificates } from '../syntax/pem-certificates.ts';
import { ListenError } from './listen-error.ts';

/** What gateway.yaml says of TLS with callers: paths of PEM files. */
export interface ListenerTlsSettings {
  /** The certificate, and behind it those between it and the authority that callers know. */
  readonly cert: string;
  readonly key: string;
  /** The authorities one of which must vouch for each client; without it clients show no certificate. */
  readonly clientCa?: string | undefined;
}

/** Milliseconds between two looks at the files. */
const LOOK_INTERVAL_MS = 1_000;

/** Milliseconds for a handshake; Node's two minutes would let a client hold a connection for nothing. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What is the same for every certificate. Ciphers are those of Node. */
const FIXED = {
  minVersion: 'TLSv1.2',
  // Renegotiation makes the server work at the wish of the client, and exists in TLS 1.2 only.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions;

/** What was made of the files. */
interface LoadedTls {
  readonly context: SecureContextOptions;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The files cannot be used; the message says why, and quotes nothing of them. */
class ListenerTlsError extends Error {
  override readonly name = 'ListenerTlsError';
}

/**
 * TLS of the listener. The files are read again when they change: connections that come after that get the new
 * certificate, older ones live on. While the files cannot be used, what was read before stays in use.
 */
export class ListenerTls {
  readonly #files: RereadFiles<LoadedTls>;
  readonly #asksForCertificate: boolean;
  #loaded: LoadedTls | undefined;

  /**
   * @param now milliseconds since the epoch
   * @param listener gets to know of changes
   */
  constructor(settings: ListenerTlsSettings, now: () => number, listener?: FilesListener) {
    const { cert, key, clientCa } = settings;
    this.#asksForCertificate = clientCa !== undefined;
    this.#files = new RereadFiles({
      files: [cert, key, ...(clientCa === undefined ? [] : [clientCa])],
      load: (before) => load(settings, before, now),
      explain,
      listener,
    });
  }

  /**
   * Reads the files for the first time.
   *
   * @param key the key of gateway.yaml that the error names
   * @throws {ListenError} when they cannot be used
   */
  async open(key = 'server.tls'): Promise<void> {
    try {
      this.#loaded = await this.#files.read();
    } catch (error) {
      throw new ListenError(`${key}: ${(error as Error).message}`);
    }
  }

  /** The options of a new server; only after {@link open}. */
  get options(): TlsOptions {
    return {
      ...this.#loaded?.context,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestCert: this.#asksForCertificate,
      rejectUnauthorized: true,
    };
  }

  /** Seconds since the epoch at which the certificate in use ends; `undefined` before {@link open}. */
  get expirySeconds(): number | undefined {
    return this.#loaded && this.#loaded.expiresAt / 1_000;
  }

  /** Gives a server what the files say, whenever they change, until it closes. */
  follow(server: TlsServer): void {
    let isLooking = false;
    const looking = setInterval(() => {
      // A file system that hangs would otherwise get more and more to do.
      if (!isLooking) {
        isLooking = true;
        void this.#look(server).finally(() => (isLooking = false));
      }
    }, LOOK_INTERVAL_MS).unref();
    server.once('close', () => clearInterval(looking));
  }

  async #look(server: TlsServer): Promise<void> {
    const loaded = await this.#files.read();
    if (loaded !== this.#loaded) {
      this.#loaded = loaded;
      // The keys of session tickets change with it, so that no session outlives the authority of its client.
      server.setSecureContext(loaded.context);
    }
  }
}

/** @param before what is in use; in its place comes only a pair that is valid now */
async function load(
  { cert: certFile, key: keyFile, clientCa }: ListenerTlsSettings,
  before: LoadedTls | undefined,
  now: () => number,
): Promise<LoadedTls> {
  const [cert, key, ca] = await Promise.all([
    readFile(certFile, 'utf8'),
    readFile(keyFile, 'utf8'),
    clientCa === undefined ? undefined : readFile(clientCa, 'utf8'),
  ]);
  const { context } = before ?? {};
  if (before !== undefined && context?.cert === cert && context.key === key && context.ca === ca) {
    return before;
  }
  const certificate = readPart('cert', () => readCertificates(cert)[0] as X509Certificate);
  const privateKey = readPart('key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ListenerTlsError('the key belongs to another certificate');
  }
  if (before !== undefined) {
    checkValidity(certificate, now());
  }
  if (ca !== undefined) {
    // Without a certificate in it, Node would take clients of any public authority.
    readPart('clientCa', () => readCertificates(ca));
  }
  const made: SecureContextOptions = { ...FIXED, cert, key, ...(ca !== undefined && { ca }) };
  createSecureContext(made);
  return { context: made, expiresAt: Date.parse(certificate.validTo) };
}

function readPart<T>(part: keyof ListenerTlsSettings, read: () => T): T {
  try {
    return read();
  } catch {
    throw new ListenerTlsError(`${part} cannot be read as PEM`);
  }
}

function checkValidity({ validFrom, validTo }: X509Certificate, now: number): void {
  if (now < Date.parse(validFrom)) {
    throw new ListenerTlsError('the certificate is not valid yet');
  }
  if (now >= Date.parse(validTo)) {
    throw new ListenerTlsError('the certificate has expired');
  }
}

/** Node's own messages could quote a file. */
function explain(error: unknown): Error {
  const { code, name } = error as NodeJS.ErrnoException;
  return error instanceof ListenerTlsError ? error : new ListenerTlsError(`the files cannot be used (${code ?? name})`);
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { RereadFiles } from '../resilience/reread-files.ts';

/** What gateway.yaml says of TLS with a downstream; `ca`, `cert` and `key` are paths of PEM files. */
export interface TlsSettings {
  /** The only authorities that may vouch for the downstream; default those of Node. */
  readonly ca?: string | undefined;
  /** The gateway's own certificate; it goes with its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /**
   * The name that is asked for (RFC 6066 §3) and that the downstream's certificate must have; default: its host.
   *
   * @see https://www.rfc-editor.org/rfc/rfc6066#section-3
   */
  readonly serverName?: string | undefined;
}

/** The contents of the files. */
export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

type TlsFileList = readonly (readonly [keyof TlsTexts, string])[];

/**
 * Reads the files of a downstream's TLS, and reads them again when they change. While they do not fit together, because
 * only one of them was replaced yet, what was read before stays in use.
 */
export class TlsFiles {
  readonly #files: RereadFiles<TlsTexts>;

  constructor({ ca, cert, key }: TlsSettings) {
    const files: TlsFileList = Object.entries({ ca, cert, key }).flatMap(([name, file]) =>
      file === undefined ? [] : [[name as keyof TlsTexts, file] as const],
    );
    this.#files = new RereadFiles({
      files: files.map(([, file]) => file),
      load: () => load(files),
      explain: (error) => error as Error,
    });
  }

  /**
   * @returns the same object as long as nothing changed
   * @throws when the files cannot be used and nothing was read before
   */
  read(): Promise<TlsTexts> {
    return this.#files.read();
  }
}

async function load(files: TlsFileList): Promise<TlsTexts> {
  const texts: TlsTexts = Object.fromEntries(
    await Promise.all(files.map(async ([name, file]) => [name, await readFile(file, 'utf8')] as const)),
  );
  const certificates = [texts.ca, texts.cert].flatMap((pem) => (pem === undefined ? [] : [new X509Certificate(pem)]));
  if (texts.key !== undefined && certificates.at(-1)?.checkPrivateKey(createPrivateKey(texts.key)) !== true) {
    throw new Error('the key belongs to another certificate');
  }
  return texts;
}

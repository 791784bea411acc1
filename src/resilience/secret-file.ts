import { readFile, stat } from 'node:fs/promises';
import { RereadFiles, type FilesListener } from './reread-files.ts';

/** No secret is longer; a path that leads to something enormous is a mistake. */
const MAX_SECRET_BYTES = 64 * 1_024;

/** A file does not hold a secret. The message says why, and quotes neither the file nor its path. */
class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/**
 * Reads a secret from a file: text of one line, without the line break at its end.
 *
 * @throws {SecretFileError} for a file that is missing, unreadable or empty, or holds something else
 */
export async function readSecretFile(file: string): Promise<string> {
  try {
    const found = await stat(file);
    if (!found.isFile()) {
      throw new SecretFileError('it is not a file');
    }
    if (found.size > MAX_SECRET_BYTES) {
      throw new SecretFileError('the file is larger than 64 kB');
    }
    return checkSecret((await readFile(file, 'utf8')).replace(/[\r\n]+$/, ''));
  } catch (error) {
    throw explain(error);
  }
}

function checkSecret(secret: string): string {
  if (secret === '') {
    throw new SecretFileError('the file is empty');
  }
  // The replacement character stands for bytes that are no UTF-8.
  if (/[\p{Cc}\ufffd]/u.test(secret)) {
    throw new SecretFileError('the file holds something else than text of one line');
  }
  return secret;
}

function explain(error: unknown): Error {
  const { code, name } = error as NodeJS.ErrnoException;
  return error instanceof SecretFileError ? error : new SecretFileError(`the file cannot be read (${code ?? name})`);
}

/**
 * A secret in a file, which is read again when it changes. While the file cannot be used, the secret that was read before
 * stays in use.
 */
export class SecretFile {
  readonly #files: RereadFiles<string>;

  constructor(file: string, listener?: FilesListener) {
    this.#files = new RereadFiles({ files: [file], load: () => readSecretFile(file), explain, listener });
  }

  /**
   * Gives the secret as it is now.
   *
   * @throws {SecretFileError} when the file never held one
   */
  read(): Promise<string> {
    return this.#files.read();
  }
}

import { stat } from 'node:fs/promises';

/** Gets to know what happens to files that are read again. */
export interface FilesListener {
  /** Called when something else has taken the place of what was made of them. */
  onChange(): void;
  /** Called when they cannot be used any more, once for each reason. What was made of them before stays in use. */
  onTrouble(reason: Error): void;
  /** Called when they can be used again and are what they were. */
  onRecovery(): void;
}

/** What {@link RereadFiles} works with. */
export interface RereadOptions<T> {
  readonly files: readonly string[];
  /**
   * Makes something of the files.
   *
   * @param before what was made of them last time; returned again, it counts as no change
   */
  readonly load: (before: T | undefined) => Promise<T>;
  /** Turns what went wrong into an error whose message may be shown: those of Node could quote a file. */
  readonly explain: (error: unknown) => Error;
  readonly listener?: FilesListener | undefined;
}

/**
 * Something that is made of files, and made again when they change. While they cannot be used (one is gone, or only one
 * of two was replaced yet), what was made before stays. A symbolic link that leads elsewhere is a change, too: that is how
 * Kubernetes replaces files.
 */
export class RereadFiles<T> {
  readonly #options: RereadOptions<T>;
  #loaded: { readonly value: T; readonly version: string } | undefined;
  #loading: Promise<void> | undefined;
  #trouble: string | undefined;

  constructor(options: RereadOptions<T>) {
    this.#options = options;
  }

  /**
   * Gives what the files say now, or what they said when they could last be used.
   *
   * @throws the explained error when they never could
   */
  async read(): Promise<T> {
    try {
      const version = (await Promise.all(this.#options.files.map(versionOf))).join();
      if (version !== this.#loaded?.version) {
        await (this.#loading ??= this.#load(version).finally(() => (this.#loading = undefined)));
      }
      this.#noteRecovery();
    } catch (error) {
      const reason = this.#options.explain(error);
      if (this.#loaded === undefined) {
        throw reason;
      }
      this.#noteTrouble(reason);
    }
    return (this.#loaded as { readonly value: T }).value;
  }

  async #load(version: string): Promise<void> {
    const { load, listener } = this.#options;
    const before = this.#loaded;
    const value = await load(before?.value);
    this.#loaded = { value, version };
    if (before !== undefined && value !== before.value) {
      this.#trouble = undefined;
      listener?.onChange();
    }
  }

  #noteTrouble(reason: Error): void {
    if (this.#trouble !== reason.message) {
      this.#trouble = reason.message;
      this.#options.listener?.onTrouble(reason);
    }
  }

  #noteRecovery(): void {
    if (this.#trouble !== undefined) {
      this.#trouble = undefined;
      this.#options.listener?.onRecovery();
    }
  }
}

async function versionOf(file: string): Promise<string> {
  const { mtimeMs, ctimeMs, size, ino } = await stat(file);
  return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
}

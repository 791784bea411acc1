import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** What {@link FileWatch} works with. */
export interface FileWatchOptions {
  /** Called when files have changed and have been still for a moment. */
  readonly onChange: () => void;
  /** Milliseconds between two looks at the files; default 2 seconds. */
  readonly pollMs?: number;
  /** Milliseconds for which files must be still; default a quarter of a second. */
  readonly stillMs?: number;
  /** Milliseconds for which a file may be missing, as while an editor replaces it; default 5 seconds. */
  readonly maxMissingMs?: number;
}

const POLL_MS = 2_000;
const STILL_MS = 250;
const MAX_MISSING_MS = 5_000;

/** Each takes a watch of the system, of which a user has few; what lies in other folders is found by looking. */
const MAX_FOLDERS = 64;

/** The version of a file that is not there. */
const MISSING = 'missing';

/** What the files were like at one moment: versions by path. */
type Sample = ReadonlyMap<string, string>;

/**
 * Watches files by name, wherever symbolic links lead: Kubernetes changes the files of a volume by turning a link, and
 * editors put another file in the place of the old one. The system tells of changes in the folders at once where it can;
 * a look at the files every few seconds finds the rest.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #folders = new Map<string, FSWatcher>();
  #paths: readonly string[] = [];
  #seen: Sample = new Map();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isAgain = false;
  #isSoon = false;
  #isClosed = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Watches these files from now on, and no others; those that were watched before count as they were seen last. */
  async follow(paths: readonly string[]): Promise<void> {
    this.#paths = paths;
    const sample = await this.#take();
    this.#seen = new Map([...sample].map(([path, version]) => [path, this.#seen.get(path) ?? version]));
    this.#followFolders();
    this.#schedule(this.#pollMs);
  }

  /** Ends the watch. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#folders.forEach((watcher) => watcher.close());
    this.#folders.clear();
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? POLL_MS;
  }

  /**
   * Others may write in the folder all the time, so that a look is neither made for their files nor put off. What begins
   * with two dots is the link by which Kubernetes leads to the files.
   */
  #lookSoon(name: string | null): void {
    const isOurs = name === null || name.startsWith('..') || this.#paths.some((path) => basename(path) === name);
    if (isOurs && !this.#isSoon) {
      this.#isSoon = true;
      this.#schedule(this.#options.stillMs ?? STILL_MS);
    }
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) {
      this.#timer = setTimeout(() => void this.#look(), delayMs).unref();
    }
  }

  async #look(): Promise<void> {
    this.#isSoon = false;
    if (this.#isLooking) {
      this.#isAgain = true;
      return;
    }
    this.#isLooking = true;
    const sample = await this.#take();
    if (!isEqual(sample, this.#seen)) {
      const still = await this.#untilStill(sample);
      if (!isEqual(still, this.#seen) && !this.#isClosed) {
        this.#seen = still;
        this.#options.onChange();
      }
    }
    this.#isLooking = false;
    this.#schedule(this.#isAgain ? (this.#options.stillMs ?? STILL_MS) : this.#pollMs);
    this.#isAgain = false;
  }

  /** Waits until nothing changes any more and no file is missing, or one is missing for too long. */
  async #untilStill(first: Sample): Promise<Sample> {
    const { stillMs = STILL_MS, maxMissingMs = MAX_MISSING_MS } = this.#options;
    const deadline = performance.now() + maxMissingMs;
    let last = first;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, stillMs).unref());
      const next = await this.#take();
      const isWhole = ![...next.values()].includes(MISSING) || performance.now() > deadline;
      if (this.#isClosed || (isWhole && isEqual(next, last))) {
        return next;
      }
      last = next;
    }
  }

  async #take(): Promise<Sample> {
    return new Map(await Promise.all(this.#paths.map(async (path) => [path, await versionOf(path)] as const)));
  }

  #followFolders(): void {
    const wanted = new Set([...new Set(this.#paths.map((path) => dirname(path)))].slice(0, MAX_FOLDERS));
    for (const [folder, watcher] of this.#folders) {
      if (!wanted.has(folder)) {
        watcher.close();
        this.#folders.delete(folder);
      }
    }
    for (const folder of wanted) {
      if (!this.#folders.has(folder) && !this.#isClosed) {
        this.#watchFolder(folder);
      }
    }
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => this.#lookSoon(name));
      watcher.on('error', () => watcher.close());
      this.#folders.set(folder, watcher);
    } catch {
      // The system has no watch left, or the folder is gone: looking finds what changes.
    }
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return MISSING;
  }
}

function isEqual(one: Sample, other: Sample): boolean {
  return one.size === other.size && [...one].every(([path, version]) => other.get(path) === version);
}

/**
 * Runs reloads one after the other. However many are asked for while one runs, they are one more after it, because that
 * one sees all that led to them.
 */
export class Reloader {
  readonly #reload: () => Promise<void>;
  #mayRun = false;
  #isRunning = false;
  #isWanted = false;

  /** @param reload never fails */
  constructor(reload: () => Promise<void>) {
    this.#reload = reload;
  }

  /** Lets reloads run from now on; one that was asked for before runs at once. */
  start(): void {
    this.#mayRun = true;
    void this.#run();
  }

  /** Lets no other reload begin. */
  stop(): void {
    this.#mayRun = false;
  }

  /** Asks for a reload. */
  request(): void {
    this.#isWanted = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) {
      return;
    }
    this.#isRunning = true;
    while (this.#mayRun && this.#isWanted) {
      this.#isWanted = false;
      await this.#reload();
    }
    this.#isRunning = false;
  }
}

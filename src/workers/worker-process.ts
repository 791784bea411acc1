import cluster, { type Worker } from 'node:cluster';
import { ListenError } from '../http/listen-error.ts';
import type { Answers, FromWorker, PortableConfig, ToWorker } from './messages.ts';

/** How a worker ended. */
export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it could not serve, where that is known. */
  readonly reason: string | undefined;
}

/** An answer, in an object of its own because `undefined` ("no reason") is an answer, too. */
interface Reply<About extends keyof Answers> {
  readonly value: Answers[About];
}

/** A worker as the primary sees it. */
export class WorkerProcess {
  /** Never used again, unlike a process id. */
  readonly id: number;
  /** Resolves with the address of the API; rejects with a {@link ListenError} when the worker cannot. */
  readonly listening: Promise<string>;
  readonly ended: Promise<WorkerEnd>;
  readonly #worker: Worker;
  readonly #questions = new Map<number, (answer?: Reply<keyof Answers>) => void>();
  #asked = 0;
  #reason: string | undefined;
  #hasEnded = false;

  /** @param number which of the workers it is; its log lines carry it */
  constructor(number: number, config: PortableConfig) {
    const worker = cluster.fork();
    this.#worker = worker;
    this.id = worker.id;
    this.ended = new Promise((resolve) => {
      worker.once('exit', (exitCode: number | null, signal: string | null) => {
        resolve({ exitCode, signal, reason: this.#reason });
      });
      worker.on('error', (error) => {
        // A process that could not be made emits no `exit`.
        if (this.pid === undefined) {
          resolve({ exitCode: null, signal: null, reason: error.message });
        }
      });
    });
    this.listening = new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.tell === 'attentive') {
          this.#send({ tell: 'start', number, config });
        } else if (message.tell === 'listening') {
          resolve(message.url);
        } else if (message.tell === 'cannot listen') {
          this.#reason = message.reason;
        } else {
          this.#questions.get(message.id)?.(message);
        }
      });
      void this.ended.then(({ reason }) => {
        reject(new ListenError(reason ?? 'no worker could start; the log says how each one ended'));
      });
    });
    void this.ended.then(() => {
      this.#hasEnded = true;
      this.#questions.forEach((settle) => settle());
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /**
   * Asks the worker something.
   *
   * @param config goes with `reload`
   * @returns `undefined` when there is no answer in time, and at once when the worker has ended
   */
  ask<About extends keyof Answers>(
    about: About,
    timeoutMs: number,
    config?: PortableConfig,
  ): Promise<Reply<About> | undefined> {
    if (this.#hasEnded) {
      return Promise.resolve(undefined);
    }
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      const settle = (answer?: Reply<About>): void => {
        clearTimeout(timer);
        this.#questions.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(settle, timeoutMs);
      this.#questions.set(id, (answer) => settle(answer as Reply<About>));
      this.#send({ tell: 'question', id, about, config });
    });
  }

  /** Lets the worker finish what is in flight and end; ends it at once when that takes longer. */
  async stop(timeoutMs: number): Promise<void> {
    this.#send({ tell: 'stop' });
    const timer = setTimeout(() => this.kill(), timeoutMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends the worker at once; {@link ended} gives the reason, if there is one. */
  kill(reason?: string): void {
    this.#reason ??= reason;
    this.#worker.process.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    // A send fails when the worker is gone; its exit event reports that.
    this.#worker.send(message, () => {});
  }
}

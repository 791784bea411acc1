import { ListenError } from '../http/listen-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PortableConfig } from './messages.ts';
import { Pulse, PULSE_INTERVAL_MS } from './pulse.ts';
import { nextRestartDelay } from './restart-delay.ts';
import { WorkerProcess } from './worker-process.ts';

/** Milliseconds without an answer after which a worker counts as hanging: in a loop, stopped, or waiting for ever. */
const MAX_SILENCE_MS = 10_000;

/** The same for a worker that starts or reloads, because it reads the whole contract before it answers. */
const MAX_START_MS = 60_000;

/** What an operator does about a worker that died. */
const DIED_REMEDY =
  'A SIGKILL without a reason is a lack of memory; standard error says why a worker ended by itself. See docs/operate/incidents/workers.md.';

/** What the log says of a worker that cannot follow. */
const REMEDY = 'Another process takes its place and starts with the new configuration; see whether it listens.';

/** What the supervision of a worker needs. */
export interface Supervision {
  /** Which of the workers it is, from 1. */
  readonly number: number;
  readonly log: Logger;
  /** Called for every process that ended, wanted or not. */
  readonly onEnd: (process: WorkerProcess) => void;
  /** Called for every process that takes the place of another. */
  readonly onRestart: () => void;
}

/** One of the workers: whenever its process ends or hangs, another takes its place, until it is stopped. */
export class SupervisedWorker {
  readonly #supervision: Supervision;
  #process: WorkerProcess | undefined;
  /** What the next process starts with. */
  #config: PortableConfig | undefined;
  #isReloading = false;
  #isListening = false;
  #isStopped = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(supervision: Supervision) {
    this.#supervision = supervision;
  }

  /** The process, while it takes requests. */
  get listening(): WorkerProcess | undefined {
    return this.#isListening ? this.#process : undefined;
  }

  /**
   * Starts the first process.
   *
   * @returns the address of the API
   * @throws {ListenError} when that process cannot listen, or when this worker was stopped before
   */
  async start(config: PortableConfig): Promise<string> {
    if (this.#isStopped) {
      throw new ListenError('stopped before it listened');
    }
    this.#config = config;
    return this.#run(config, 0).listening;
  }

  /**
   * Has the process follow another configuration, and every later process start with it. A process that cannot follow is
   * ended, so that another takes its place.
   */
  async reload(config: PortableConfig): Promise<void> {
    this.#config = config;
    const process = this.#process;
    // One that starts, with the configuration before, follows once it listens.
    const listens = await process?.listening.then(
      () => true,
      () => false,
    );
    if (process === undefined || listens !== true || this.#isStopped) {
      return;
    }
    this.#isReloading = true;
    const answer = await process.ask('reload', MAX_START_MS, config);
    this.#isReloading = false;
    const reason = answer === undefined ? 'did not answer' : answer.value;
    // One that ended meanwhile is reported already, and its successor starts with the new configuration.
    if (reason !== undefined && !this.#isStopped && this.listening === process) {
      const { number, log } = this.#supervision;
      log.error({ worker: number, pid: process.pid, reason, remedy: REMEDY }, 'worker cannot follow the configuration');
      process.kill('could not follow the configuration');
    }
  }

  /** Stops for good; ends a process that takes longer to finish. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#restart);
    if (this.#isListening) {
      await this.#process?.stop(timeoutMs);
    } else {
      // A process that does not listen has nothing in flight.
      this.#process?.kill();
      await this.#process?.ended;
    }
  }

  #run(config: PortableConfig, delay: number): WorkerProcess {
    const { number, log, onEnd, onRestart } = this.#supervision;
    const process = new WorkerProcess(number, config);
    const { pid } = process;
    let listensSince: number | undefined;
    this.#process = process;
    const pulse = new Pulse(performance.now());
    const watch = setInterval(() => {
      const isBusy = listensSince === undefined || this.#isReloading;
      const longest = isBusy ? MAX_START_MS : MAX_SILENCE_MS;
      if (pulse.tick(performance.now()) > longest) {
        process.kill(`did not answer for ${longest / 1_000} s`);
      } else {
        void process.ask('pulse', longest).then((answer) => answer && pulse.hear());
      }
    }, PULSE_INTERVAL_MS);
    void process.listening.then(
      () => {
        pulse.hear();
        this.#isListening = true;
        listensSince = performance.now();
        log.info({ worker: number, pid }, 'worker listens');
      },
      () => {},
    );
    void process.ended.then((end) => {
      this.#isListening = false;
      clearInterval(watch);
      onEnd(process);
      if (!this.#isStopped) {
        const lifetime = listensSince === undefined ? 0 : performance.now() - listensSince;
        const restartMs = nextRestartDelay(lifetime, delay);
        log.error(
          { worker: number, pid, ...end, restartMs, remedy: DIED_REMEDY },
          'worker died, another takes its place',
        );
        this.#restart = setTimeout(() => {
          onRestart();
          this.#run(this.#config ?? config, restartMs);
        }, restartMs);
      }
    });
    return process;
  }
}

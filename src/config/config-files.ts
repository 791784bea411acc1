import { ConfigError } from '../failures.ts';
import type { Environment } from './environment.ts';
import { loadFiles, type GatewayConfig, type LoadedConfig } from './load-config.ts';
import { keepUntilRestart, listChanges } from './reloading.ts';
import { readKey } from './tree.ts';
import type { MemoryLimit } from '../runtime/memory-limit.ts';

/** What the files say now, as far as a running gateway can follow them. */
export interface ConfigChange {
  /** Has what needs a restart as it was at the start. */
  readonly config: GatewayConfig;
  /** The keys that differ from the start and count only after a restart. */
  readonly needRestart: readonly string[];
}

/** gateway.yaml and what it names, to be read at the start and again while the gateway runs. */
export class ConfigFiles {
  readonly #file: string;
  readonly #env: Environment;
  readonly #memoryLimit: MemoryLimit | undefined;
  readonly #read = new Set<string>();
  #started: LoadedConfig | undefined;

  /**
   * @param file the path of gateway.yaml
   * @param env where `${NAME}` is looked up
   * @param memoryLimit what the defaults that follow the memory are for; default that of this container or machine
   */
  constructor(file: string, env: Environment, memoryLimit?: MemoryLimit) {
    this.#file = file;
    this.#env = env;
    this.#memoryLimit = memoryLimit;
  }

  /** The paths of the files that were read last, or that could not be read: gateway.yaml, the documents, their parts. */
  get paths(): readonly string[] {
    return [...this.#read];
  }

  /**
   * Loads the files for the start.
   *
   * @throws {ConfigError} with every fault
   */
  async load(): Promise<GatewayConfig> {
    this.#started = await this.#load((tree) => tree);
    return this.#started.config;
  }

  /**
   * Loads the files again; to be called after {@link load}.
   *
   * @throws {ConfigError} with every fault: of the files as they are, which a restart would meet, too, and of what would
   *   come of them together with what needs a restart
   */
  async reload(): Promise<ConfigChange> {
    const started = this.#started as LoadedConfig;
    const { config } = await this.#load((tree) => tree);
    const needRestart = listChanges(started.config, config)
      .filter(({ reloading }) => reloading === 'restart')
      .map(({ key }) => key);
    if (needRestart.length === 0) {
      return { config, needRestart };
    }
    try {
      const kept = await this.#load((tree) => keepUntilRestart(tree, started.tree));
      return { config: kept.config, needRestart };
    } catch (error) {
      throw error instanceof ConfigError ? explain(error, needRestart) : error;
    }
  }

  #load(adapt: (tree: unknown) => unknown): Promise<LoadedConfig> {
    this.#read.clear();
    return loadFiles(this.#file, this.#env, {
      adapt,
      onRead: (path) => this.#read.add(path),
      memoryLimit: this.#memoryLimit,
      defaultMaxSessions: this.#started && chosenMaxSessions(this.#started),
    });
  }
}

/**
 * The default of the start, which follows the number of downstreams: a downstream that is added must not look like a key
 * that only a restart can change. `undefined` where gateway.yaml had a number of its own.
 */
function chosenMaxSessions({ tree, config }: LoadedConfig): number | undefined {
  const written = readKey(readKey(tree, 'tokenCache'), 'maxSessions');
  return written === undefined ? config.tokenCache.maxSessions : undefined;
}

function explain({ faults }: ConfigError, needRestart: readonly string[]): ConfigError {
  const why = `; only a restart can change ${needRestart.join(', ')}`;
  return new ConfigError(faults.map(({ at, message }) => ({ at, message: `${message}${why}` })));
}

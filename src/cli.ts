import { parseArgs } from 'node:util';
import { loadConfig, loadManagement } from './config/load-config.ts';
import type { Environment } from './config/environment.ts';
import { ConfigError } from './failures.ts';
import { ListenError } from './http/listen-error.ts';

/** The process as a command sees it. */
export interface Terminal {
  readonly env: Environment;
  readonly writeOut: (line: string) => void;
  readonly writeError: (line: string) => void;
  /** Resolves when the process is asked to stop (SIGTERM, SIGINT). */
  readonly untilStopped: () => Promise<void>;
}

const USAGE = `Usage:
  obo-gateway serve --config gateway.yaml         run the gateway
  obo-gateway healthcheck --config gateway.yaml   exit 0 when the gateway of this configuration is ready`;

/** What a command ends with. */
const EXIT = { ok: 0, failed: 1, badConfig: 2 } as const;

const COMMANDS = new Map([
  ['serve', serve],
  ['healthcheck', checkHealth],
]);

/**
 * Runs a command line.
 *
 * @param argv without the program
 * @returns the exit code: 0 done, 1 failed, 2 the command line or the configuration is wrong
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { command, config, help } = readArguments(argv);
  if (help) {
    terminal.writeOut(USAGE);
    return EXIT.ok;
  }
  const execute = COMMANDS.get(command ?? '');
  if (execute === undefined || config === undefined) {
    terminal.writeError(USAGE);
    return EXIT.badConfig;
  }
  try {
    return await execute(config, terminal);
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const { at, message } of error.faults) {
        terminal.writeError(`${at}: ${message}`);
      }
      return EXIT.badConfig;
    }
    if (error instanceof ListenError) {
      terminal.writeError(error.message);
      return EXIT.failed;
    }
    throw error;
  }
}

interface Arguments {
  readonly command?: string | undefined;
  readonly config?: string | undefined;
  readonly help: boolean;
}

function readArguments(argv: readonly string[]): Arguments {
  try {
    const { positionals, values } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
    return { command: positionals.length === 1 ? positionals[0] : undefined, ...values };
  } catch {
    return { help: false };
  }
}

async function serve(file: string, { env, untilStopped }: Terminal): Promise<number> {
  const config = await loadConfig(file, env);
  // The other commands start without the weight of the gateway.
  const { createGateway } = await import('./gateway.ts');
  const gateway = createGateway(config);
  try {
    await gateway.start();
    await untilStopped();
  } finally {
    await gateway.stop();
  }
  return EXIT.ok;
}

const HEALTH_DEADLINE = 2_000;

async function checkHealth(file: string, { env, writeError }: Terminal): Promise<number> {
  const { host, port } = await loadManagement(file, env);
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host;
  try {
    const response = await fetch(`http://${local}:${port}/readyz`, { signal: AbortSignal.timeout(HEALTH_DEADLINE) });
    if (response.ok) {
      return EXIT.ok;
    }
    writeError(`the gateway is not ready: ${await response.text()}`);
  } catch (error) {
    writeError(`the gateway does not answer on server.management.port ${port}: ${(error as Error).message}`);
  }
  return EXIT.failed;
}

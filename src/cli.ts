import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { loadConfig, loadManagement, type GatewayConfig } from './config/load-config.ts';
import type { Environment } from './config/environment.ts';
import { ConfigError } from './failures.ts';
import type { Gateway } from './gateway.ts';
import { ListenError } from './http/listen-error.ts';
import { readTokens, TOKENS } from './verify/tokens.ts';

/** The process as a command sees it. */
export interface Terminal {
  readonly env: Environment;
  readonly writeOut: (line: string) => void;
  readonly writeError: (line: string) => void;
  /** Resolves when the process is asked to stop (SIGTERM, SIGINT). */
  readonly untilStopped: () => Promise<void>;
}

const TOKEN_LINES = Object.values(TOKENS).map(({ variable, holds }) => `    ${variable.padEnd(30)}${holds}`);

const USAGE = `Usage:
  obo-gateway serve --config gateway.yaml         run the gateway
  obo-gateway check --config gateway.yaml         tell whether the gateway would work here, and what to mend
  obo-gateway healthcheck --config gateway.yaml   exit 0 when the gateway of this configuration is ready
  obo-gateway verify --contract openapi.yaml --url https://api.contoso.com [--write]
                                                  compare what a running gateway answers with its contract;
                                                  --write also lets calls that change data go well
  Access tokens for verify come from the environment, and what has none is skipped:
${TOKEN_LINES.join('\n')}`;

/** What a command ends with. */
const EXIT = { ok: 0, failed: 1, badConfig: 2 } as const;

const COMMANDS = new Map([
  ['serve', serve],
  ['check', check],
  ['healthcheck', checkHealth],
]);

/**
 * Runs a command line.
 *
 * @param argv without the program
 * @returns the exit code: 0 done, 1 failed, 2 the command line or the configuration is wrong
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const args = readArguments(argv);
  if (args.help) {
    terminal.writeOut(USAGE);
    return EXIT.ok;
  }
  const execute = chooseCommand(args);
  if (execute === undefined) {
    terminal.writeError(USAGE);
    return EXIT.badConfig;
  }
  try {
    return await execute(terminal);
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
  readonly contract?: string | undefined;
  readonly url?: string | undefined;
  readonly write?: boolean | undefined;
  readonly help: boolean;
}

function readArguments(argv: readonly string[]): Arguments {
  try {
    const { positionals, values } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        contract: { type: 'string' },
        url: { type: 'string' },
        write: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return { command: positionals.length === 1 ? positionals[0] : undefined, ...values };
  } catch {
    return { help: false };
  }
}

function chooseCommand(args: Arguments): ((terminal: Terminal) => Promise<number>) | undefined {
  const { command = '', config, contract, url, write } = args;
  if (command === 'verify' && contract !== undefined && url !== undefined) {
    return (terminal) => verifyContract({ contract, url, write: write === true }, terminal);
  }
  const execute = COMMANDS.get(command);
  return execute && config !== undefined ? (terminal) => execute(config, terminal) : undefined;
}

async function serve(file: string, { env, untilStopped }: Terminal): Promise<number> {
  const config = await loadConfig(file, env);
  const gateway = await assembleGateway(config);
  // Some workers serve while others still start, so that this, too, is to end in order.
  const stopped = untilStopped();
  try {
    await Promise.race([gateway.start(), stopped]);
    await stopped;
  } finally {
    await gateway.stop();
  }
  return EXIT.ok;
}

/** A gateway in as many processes as the configuration says; only what that takes is loaded. */
async function assembleGateway(config: GatewayConfig): Promise<Gateway> {
  const workers = config.server.workers === 'auto' ? availableParallelism() : config.server.workers;
  if (workers === 1) {
    const { createGateway } = await import('./gateway.ts');
    return createGateway(config);
  }
  const { createWorkers } = await import('./workers/workers.ts');
  return createWorkers(config, workers);
}

async function check(file: string, { env, writeOut }: Terminal): Promise<number> {
  const config = await loadConfig(file, env);
  const { checkDeployment } = await import('./check/check-deployment.ts');
  const { renderReport } = await import('./check/render-report.ts');
  const rows = await checkDeployment(config);
  renderReport(rows).forEach((line) => writeOut(line));
  return rows.some(({ status }) => status === 'fail') ? EXIT.failed : EXIT.ok;
}

async function verifyContract(
  { contract, url, write }: { contract: string; url: string; write: boolean },
  { env, writeOut, writeError }: Terminal,
): Promise<number> {
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new ConfigError([{ at: '--url', message: 'must be the http or https address of a gateway' }]);
  }
  const { UnreachableError, verify } = await import('./verify/verify.ts');
  const { formatOutcome, summarise } = await import('./verify/report.ts');
  try {
    const outcomes = await verify({
      contract,
      url: new URL(url),
      tokens: readTokens(env),
      write,
      onOutcome: (outcome) => writeOut(formatOutcome(outcome)),
    });
    writeOut(summarise(outcomes));
    return outcomes.some(({ verdict }) => verdict === 'FAIL') ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (error instanceof UnreachableError) {
      writeError(error.message);
      return EXIT.failed;
    }
    throw error;
  }
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

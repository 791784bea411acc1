import { BUILD } from './runtime/build.ts';
import { readCommandLine, type CommandOptions, type OptionValues } from './command/command-line.ts';
import type { Environment } from './config/environment.ts';
import type { GatewayConfig } from './config/load-config.ts';
import { ConfigError } from './failures.ts';
import type { Gateway } from './gateway.ts';
import { ListenError } from './http/listen-error.ts';
import type { FileWatch } from './reload/file-watch.ts';
import { readTokens, TOKENS } from './verify/tokens.ts';

/** The process as a command sees it. */
export interface Terminal {
  readonly env: Environment;
  readonly writeOut: (line: string) => void;
  readonly writeError: (line: string) => void;
  /** Resolves when the process is asked to stop (SIGTERM, SIGINT). */
  readonly untilStopped: () => Promise<void>;
  /** Calls a function each time the process is asked to read its files again (SIGHUP), which then does not end it. */
  readonly onHangUp: (listener: () => void) => void;
}

const TOKEN_LINES = Object.values(TOKENS).map(({ variable, holds }) => `    ${variable.padEnd(30)}${holds}`);

const USAGE = `Usage:
  obo-gateway serve --config gateway.yaml [--watch]
                                                  run the gateway; SIGHUP makes it read its files again
    --watch                       also when the files change: gateway.yaml, the contract and what it refers to
  obo-gateway check --config gateway.yaml         tell whether the gateway would work here, and what to correct
  obo-gateway healthcheck --config gateway.yaml   exit 0 when the gateway of this configuration is ready
  obo-gateway check --config gateway.yaml [--offline] [--only CHECK,CHECK] [--format text|json|junit]
                                                  the same, for pipelines and init containers
    --offline                     only what needs no network; exit 0 or 2
    --only CHECK,CHECK            some of config, ports, entra, clock, credential, downstreams, redis, backup
    --format text|json|junit      the form of the report; default text
  obo-gateway verify --contract openapi.yaml --url https://api.contoso.com [--write]
      [--format text|json|junit] [--output FILE] [--coverage FILE]
                                                  compare what a running gateway answers with its contract
    --url ADDRESS                 where the paths of the contract begin, such as https://api.contoso.com/graph;
                                  without a path, the path of the first of the contract's servers is added
    --write                       also make calls that change data
    --format text|json|junit      the form of the report; default text
    --output FILE                 write the report there, and the text to standard output
    --coverage FILE               write there as JSON what of the contract was tried
  obo-gateway --version                           print the version and the commit it was built from
  verify reads access tokens from the environment, and skips the calls that have none:
${TOKEN_LINES.join('\n')}`;

/** The exit codes of the commands. */
export const EXIT = { ok: 0, failed: 1, badConfig: 2 } as const;

/** Runs a command with its options. Each imports its own modules only then, because a health check must be cheap. */
type Execute = (options: OptionValues, terminal: Terminal) => Promise<number>;

interface Command {
  readonly options: CommandOptions;
  readonly execute: Execute;
}

const CONFIG: CommandOptions = { config: { takes: 'value', needed: true } };

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['serve', { options: { ...CONFIG, watch: { takes: 'nothing' } }, execute: serve }],
  [
    'check',
    {
      options: {
        ...CONFIG,
        offline: { takes: 'nothing' },
        only: { takes: 'value' },
        format: { takes: 'value' },
      },
      execute: check,
    },
  ],
  ['healthcheck', { options: CONFIG, execute: checkHealth }],
  [
    'verify',
    {
      options: {
        contract: { takes: 'value', needed: true },
        url: { takes: 'value', needed: true },
        write: { takes: 'nothing' },
        format: { takes: 'value' },
        output: { takes: 'value' },
        coverage: { takes: 'value' },
      },
      execute: verifyContract,
    },
  ],
]);

/**
 * Runs a command line.
 *
 * @param argv without the program
 * @returns the exit code: 0 done, 1 failed, 2 the command line or the configuration is wrong
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { writeOut, writeError } = terminal;
  const line = readCommandLine(argv, new Map([...COMMANDS].map(([name, { options }]) => [name, options])));
  switch (line.asks) {
    case 'help':
      writeOut(USAGE);
      return EXIT.ok;
    case 'version':
      writeOut(`obo-gateway ${BUILD.version}${BUILD.commit === '' ? '' : ` (${BUILD.commit})`}`);
      return EXIT.ok;
    case 'nothing':
      writeError(USAGE);
      return EXIT.badConfig;
    case 'fault':
      writeError(line.fault);
      writeError(USAGE);
      return EXIT.badConfig;
    case 'command':
      return execute(line.name, line.options, terminal);
  }
}

async function execute(name: string, options: OptionValues, terminal: Terminal): Promise<number> {
  const { writeError } = terminal;
  try {
    return (await COMMANDS.get(name)?.execute(options, terminal)) ?? EXIT.badConfig;
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const { at, message } of error.faults) {
        writeError(`${at}: ${message}`);
      }
      return EXIT.badConfig;
    }
    if (error instanceof ListenError) {
      writeError(error.message);
      return EXIT.failed;
    }
    throw error;
  }
}

async function serve({ config: file, watch }: OptionValues, terminal: Terminal): Promise<number> {
  const { Reloader } = await import('./reload/reloader.ts');
  const reloader = new Reloader(async () => {
    await gateway.reload(() => files.reload());
    await fileWatch?.follow(files.paths);
  });
  terminal.onHangUp(() => reloader.request());
  const { ownHeap } = await import('./runtime/v8-heap.ts');
  ownHeap();
  const { ConfigFiles } = await import('./config/config-files.ts');
  const files = new ConfigFiles(String(file), terminal.env);
  const gateway = await assembleGateway(await files.load());
  const fileWatch = watch === true ? await watchFiles(files.paths, () => reloader.request()) : undefined;
  // A signal may come while some workers serve and others still start; those that serve are stopped in order, too.
  const stopped = terminal.untilStopped();
  try {
    await Promise.race([gateway.start().then(() => reloader.start()), stopped]);
    await stopped;
  } finally {
    reloader.stop();
    fileWatch?.close();
    await gateway.stop();
  }
  return EXIT.ok;
}

async function watchFiles(paths: readonly string[], onChange: () => void): Promise<FileWatch> {
  const { FileWatch: Watch } = await import('./reload/file-watch.ts');
  const fileWatch = new Watch({ onChange });
  await fileWatch.follow(paths);
  return fileWatch;
}

/** Makes a gateway in as many processes as the configuration says, and imports no more than that takes. */
async function assembleGateway(config: GatewayConfig): Promise<Gateway> {
  const { countWorkers } = await import('./config/fill-defaults.ts');
  const workers = countWorkers(config.server);
  if (workers === 1) {
    const { createGateway, loadOpenTelemetry } = await import('./gateway.ts');
    return createGateway(config, { openTelemetry: await loadOpenTelemetry(config.openTelemetry) });
  }
  const { createWorkers } = await import('./workers/workers.ts');
  const { loadOpenTelemetry } = await import('./telemetry/otlp/load.ts');
  return createWorkers(config, workers, { openTelemetry: await loadOpenTelemetry(config.openTelemetry) });
}

async function check(options: OptionValues, { env, writeOut }: Terminal): Promise<number> {
  const { readCheckRequest } = await import('./check/check-options.ts');
  const request = readCheckRequest(options);
  const { runCheck } = await import('./check/run-check.ts');
  return EXIT[await runCheck(String(options['config']), env, request, writeOut)];
}

async function verifyContract(options: OptionValues, { env, writeOut, writeError }: Terminal): Promise<number> {
  const url = String(options['url']);
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new ConfigError([{ at: '--url', message: 'must be the http or https address of a gateway' }]);
  }
  const { ReportWriter } = await import('./verify/report-writer.ts');
  const { UnreachableError, verify } = await import('./verify/verify.ts');
  const writer = await ReportWriter.open(options, writeOut);
  try {
    const report = await verify({
      contract: String(options['contract']),
      url: new URL(url),
      tokens: readTokens(env),
      write: options['write'] === true,
      onOutcome: writer.tell,
    });
    await writer.finish(report);
    return report.outcomes.some(({ verdict }) => verdict === 'FAIL') ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (error instanceof UnreachableError) {
      writeError(error.message);
      return EXIT.failed;
    }
    throw error;
  }
}

async function checkHealth({ config: file }: OptionValues, { env, writeError }: Terminal): Promise<number> {
  const { whyNotHealthy } = await import('./command/healthcheck.ts');
  const reason = await whyNotHealthy(String(file), env);
  if (reason === undefined) {
    return EXIT.ok;
  }
  writeError(reason);
  return EXIT.failed;
}

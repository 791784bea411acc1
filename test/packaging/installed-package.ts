import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** What a user of the package installs besides, at the versions of this repository. */
const BESIDES = [
  'express',
  'express4',
  'passport',
  '@types/express',
  '@types/express4',
  '@types/node',
  '@types/passport',
];

/** As strict as compilers get, the types of all packages included. */
const COMPILER_OPTIONS = {
  target: 'es2023',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  resolveJsonModule: true,
  outDir: 'built',
};

/** What the blocks of a page take for given, by its name. */
const GIVEN: Readonly<Record<string, string>> = {
  createObo: "import { createObo } from 'obo-gateway';",
  OboError: "import { OboError } from 'obo-gateway';",
  obo: "declare const obo: import('obo-gateway').Obo;",
  app: "declare const app: import('express').Express;",
  handler: "declare const handler: import('express').RequestHandler;",
  pino: "import { pino } from 'pino';",
  createServer: "import { createServer } from 'node:http';",
  tenantId: 'declare const tenantId: string;',
  clientId: 'declare const clientId: string;',
};

/** The package in a folder of its own, as somebody has it who uses it. */
export class InstalledPackage {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder and installs the tarball with what its users have besides. */
  async install(tarball: string): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    this.write('package.json', '{ "type": "module", "private": true }');
    const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await this.#run('npm', ['install', ...options, tarball, ...BESIDES.map(nameVersion)]);
  }

  /** Writes a file of the folder. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Compiles a program of this repository and blocks of code; the compiler's output is the error. */
  async compile(program: string, blocks: readonly string[]): Promise<void> {
    cpSync(join(ROOT, program), join(this.folder, 'main.ts'));
    blocks.forEach((block, index) => this.write(`block-${index + 1}.ts`, withGiven(block)));
    this.write('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] }));
    await this.#run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.']).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
  }

  /** Runs a program of the folder, and gives what it prints. */
  async runNode(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return (await this.#run(process.execPath, args, env)).stdout;
  }

  /** Runs commands as a reader of the pages does. */
  async runCommands(commands: string): Promise<string> {
    return (await this.#run('sh', ['-c', commands])).stdout;
  }

  /** Starts a program of the folder; the answer ends it. */
  start(name: string, env: Readonly<Record<string, string>>): () => Promise<void> {
    const program: ChildProcess = spawn(process.execPath, [name], {
      cwd: this.folder,
      env: environment(env),
      stdio: 'ignore',
    });
    return async () => {
      const ended = once(program, 'exit');
      program.kill();
      await ended;
    };
  }

  #run(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly stdout: string }> {
    return run(command, args, { cwd: this.folder, env: environment(env), encoding: 'utf8' });
  }
}

/** Without the options with which the tests themselves run. */
function environment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: '', ...env };
}

/** A package as npm takes it: the version, or what stands behind its name here. */
function nameVersion(name: string): string {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Readonly<Record<string, string>>
  >;
  return `${name}@${dependencies[name] ?? devDependencies[name] ?? ''}`;
}

/** Puts before a block what it uses and does not say itself. */
function withGiven(block: string): string {
  const missing = Object.entries(GIVEN).filter(
    ([name]) =>
      new RegExp(`\\b${name}\\b`).test(block) && !new RegExp(`(?:const|import) (?:{ )?${name}\\b`).test(block),
  );
  return [...missing.map(([, line]) => line), block, 'export {};', ''].join('\n');
}

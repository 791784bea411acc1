import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { findFreePort } from '../../dev/ports.ts';
import { readStages, textsOf, wordsOf } from './dockerfile.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [build = [], image = []] = readStages(new URL('../../Dockerfile', import.meta.url));

/** Copies what a `COPY` of the build context copies. */
function copyFromContext(texts: readonly string[], folder: string): void {
  for (const text of texts.filter((candidate) => !candidate.startsWith('--from'))) {
    const names = text.split(' ').slice(0, -1);
    for (const name of names) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
  }
}

/** Runs the `RUN` steps of a stage in its folder. */
function runSteps(texts: readonly string[], folder: string): void {
  for (const text of texts) {
    const [command = '', ...args] = text.split(' ');
    execFileSync(command, args, {
      cwd: folder,
      stdio: 'pipe',
      env: { ...process.env, NODE_ENV: 'production', GIT_COMMIT: 'c0ffee1234567890' },
    });
  }
}

/** Every file below a folder, without the packages. */
function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('node_modules'));
}

describe('the image, built step by step as its Dockerfile says', () => {
  const buildFolder = mkdtempSync(join(tmpdir(), 'image-build-'));
  const imageFolder = mkdtempSync(join(tmpdir(), 'image-'));
  let emulator: Emulator;
  let gateway: ChildProcess;
  let management: string;
  let config: string;

  beforeAll(async () => {
    copyFromContext(textsOf(build, 'COPY'), buildFolder);
    // The packages of this checkout came from the same lock file; only the second stage installs its own.
    expect(textsOf(build, 'RUN')[0]).toBe('npm ci --ignore-scripts');
    symlinkSync(join(root, 'node_modules'), join(buildFolder, 'node_modules'));
    runSteps(textsOf(build, 'RUN').slice(1), buildFolder);

    copyFromContext(textsOf(image, 'COPY'), imageFolder);
    runSteps(textsOf(image, 'RUN'), imageFolder);
    expect(textsOf(image, 'COPY')).toContain('--from=build /app/dist ./dist');
    cpSync(join(buildFolder, 'dist'), join(imageFolder, 'dist'), { recursive: true });

    emulator = await startEmulator();
    const [port, managementPort] = [await findFreePort(), await findFreePort()];
    management = `http://127.0.0.1:${managementPort}`;
    const configFolder = mkdtempSync(join(tmpdir(), 'image-config-'));
    config = join(configFolder, 'gateway.yaml');
    cpSync(join(root, 'openapi.yaml'), join(configFolder, 'openapi.yaml'));
    writeFileSync(
      config,
      JSON.stringify({
        contract: './openapi.yaml',
        server: { host: '127.0.0.1', port, drainDelay: '0s', management: { port: managementPort } },
        identity: {
          authority: emulator.origin,
          tenant: HOME_TENANT_ID,
          clientId: GATEWAY_CLIENT_ID,
          credential: { secret: GATEWAY_CLIENT_SECRET },
        },
        downstreams: {
          graph: { baseUrl: 'http://127.0.0.1:9', scopes: ['https://graph.microsoft.com/User.Read'] },
          orders: { baseUrl: 'http://127.0.0.1:9', scopes: ['api://orders/.default'] },
        },
      }),
    );
  }, 120_000);

  afterAll(async () => {
    gateway?.kill('SIGKILL');
    await emulator?.close();
    for (const folder of [buildFolder, imageFolder]) {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  /** A command of the image with the configuration of this test in the place of the mounted one. */
  function commandOf(words: readonly string[]): string[] {
    return words.map((word) => (word === '/etc/obo-gateway/gateway.yaml' ? config : word));
  }

  it('holds dist and the production packages, and nothing of dev, test or the sources', () => {
    expect(readdirSync(imageFolder).toSorted()).toEqual([
      'LICENSE',
      'dist',
      'node_modules',
      'package-lock.json',
      'package.json',
    ]);
    const shipped = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const scripts = listFiles(join(imageFolder, 'dist')).filter((name) => name.endsWith('.js') && !isPage(name));
    expect(scripts.toSorted()).toEqual(shipped.map((name) => name.replace(/\.ts$/, '.js')).toSorted());
    for (const name of scripts) {
      expect(readFileSync(join(imageFolder, 'dist', name), 'utf8')).not.toMatch(/emulator|demo-apis/);
    }
    expect(existsSync(join(imageFolder, 'dist/documentation/swagger-ui/swagger-ui-bundle.js'))).toBe(true);
  });

  it('is the LTS of today, from the build to the end', () => {
    const bases = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8').match(/^(?:ARG BASE=|FROM ).*$/gm);
    expect(bases).toEqual(['ARG BASE=node:26-slim', 'FROM ${BASE} AS build', 'FROM ${BASE}']);
  });

  it('has no development package', () => {
    const { devDependencies, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
      dependencies: Record<string, string>;
    };
    const packages = join(imageFolder, 'node_modules');
    expect(Object.keys(dependencies).filter((name) => !existsSync(join(packages, name)))).toEqual([]);
    expect(Object.keys(devDependencies).filter((name) => existsSync(join(packages, name)))).toEqual([]);
  });

  it('says what it is: title, licence, version and commit', () => {
    const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      version: string;
      license: string;
    };
    expect(textsOf(image, 'ARG')).toContain(`VERSION=${version}`);
    const [labels = ''] = textsOf(image, 'LABEL');
    const names = [...labels.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)].map(([, name, text]) => [
      name,
      text,
    ]);
    expect(Object.fromEntries(names)).toMatchObject({
      title: 'obo-gateway',
      licenses: license,
      version: '${VERSION}',
      revision: '${COMMIT}',
    });
  });

  it('knows its version and the commit that the build was told', () => {
    const out = execFileSync(process.execPath, ['dist/main.js', '--version'], { cwd: imageFolder, encoding: 'utf8' });
    expect(out).toMatch(/^obo-gateway \d+\.\d+\.\d+ \(c0ffee123456\)\n$/);
  });

  it('does not run as root', () => {
    // Kubernetes refuses a name under runAsNonRoot, because it cannot see who that is.
    expect(textsOf(image, 'USER')).toEqual(['1000:1000']);
  });

  it('starts, becomes ready, finds itself healthy, and ends cleanly on SIGTERM', async () => {
    const [command = '', ...args] = commandOf([...wordsOf(image, 'ENTRYPOINT'), ...wordsOf(image, 'CMD')]);
    gateway = spawn(command, args, { cwd: imageFolder, stdio: 'ignore' });
    const exited = once(gateway, 'exit');
    await waitUntilReady(management);
    const [healthCommand = '', ...healthArgs] = commandOf(wordsOf(image, 'HEALTHCHECK'));
    expect(() => execFileSync(healthCommand, healthArgs, { cwd: imageFolder })).not.toThrow();
    gateway.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(() => execFileSync(healthCommand, healthArgs, { cwd: imageFolder, stdio: 'pipe' })).toThrow(
      /does not answer/,
    );
  }, 60_000);
});

/** True for a file of the documentation page, which is no module of the program. */
function isPage(name: string): boolean {
  return /^documentation\/(?:page|swagger-ui)\//.test(name);
}

/** Asks the readiness probe until it says yes, for at most thirty seconds. */
async function waitUntilReady(management: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const response = await fetch(`${management}/readyz`).catch(() => undefined);
    if (response?.ok === true) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`not ready: ${String(response?.status)}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

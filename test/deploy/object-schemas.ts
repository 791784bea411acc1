import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith } from '../support/installed-program.ts';
import type { KubernetesObject } from './kinds.ts';

const PACKAGES = fileURLToPath(new URL('schemas/node_modules', import.meta.url));
const COMPILER = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** The package that holds the models of a group of extensions; everything else is Kubernetes' own. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/',
};

/** A `describe` for tests of schemas: without their packages they are skipped by name, but fail where CI is set. */
export function describeWithSchemas(name: string, tests: () => void): void {
  describeWith('npm ci --prefix test/deploy/schemas --ignore-scripts', existsSync(PACKAGES), name, tests);
}

/**
 * Holds objects against the OpenAPI schemas of Kubernetes, in the form of kubernetes-models: types, which know every field
 * there is, and validators, which know what a value may be. So the objects become a program: the compiler finds unknown
 * and misplaced fields in it, and running it finds what else is wrong.
 *
 * @returns a text for each fault, none when all is right
 */
export async function findFaults(objects: readonly KubernetesObject[]): Promise<string[]> {
  const folder = mkdtempSync(join(PACKAGES, '.objects-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'objects.js'), objects.map(toProgram).join('\n'));
    writeFileSync(join(folder, 'validate.js'), VALIDATE);
    const [compiled, ran] = await Promise.all([
      runNode(COMPILER, ...COMPILER_OPTIONS, join(folder, 'objects.js')),
      runNode(join(folder, 'validate.js')),
    ]);
    return `${compiled}${ran}`.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const COMPILER_OPTIONS =
  '--ignoreConfig --noEmit --allowJs --checkJs --strict --skipLibCheck --module nodenext --target es2023'.split(' ');

const VALIDATE = `
  for (const [name, make] of Object.entries(await import('./objects.js'))) {
    try {
      make().validate();
    } catch (error) {
      console.log(name + ': ' + error.message);
    }
  }
`;

/** A line that exports a function, which makes an object of its model. */
function toProgram({ apiVersion, kind, ...content }: KubernetesObject, index: number): string {
  const library = EXTENSIONS[apiVersion.split('/')[0] ?? ''] ?? 'kubernetes-models/';
  const model = `import { ${kind} as Model${index} } from '${library}${apiVersion}/${kind}';`;
  return `${model} export const ${kind}${index} = () => new Model${index}(${JSON.stringify(content)});`;
}

function runNode(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve(error === null ? stdout : `${stdout}${stderr}`);
    });
  });
}

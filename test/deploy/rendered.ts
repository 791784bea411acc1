import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import { describeWith } from '../support/installed-program.ts';
import type { Kinds, KubernetesObject } from './kinds.ts';

const FOLDER = fileURLToPath(new URL('../../deploy/kubernetes/', import.meta.url));

const version = spawnSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8' });

/** Kubectl before 1.21 has a kustomize that knows neither `patches` nor components. */
const canRender = version.status === 0 && /"kustomizeVersion": "v[5-9]/.test(version.stdout);

/** A `describe` for tests that need kubectl: without one they are skipped by name, but fail where CI is set. */
export function describeWithKubectl(name: string, tests: () => void): void {
  describeWith('kubectl with kustomize 5', canRender, name, tests);
}

/** The objects that `kubectl apply -k deploy/kubernetes/{folder}` would make. */
export function render(folder: string): KubernetesObject[] {
  return parse(execFileSync('kubectl', ['kustomize', FOLDER + folder], { encoding: 'utf8', stdio: 'pipe' }));
}

/** The objects of a file below deploy/kubernetes/. */
export function readObjects(file: string): KubernetesObject[] {
  return parse(readFileSync(FOLDER + file, 'utf8'));
}

function parse(text: string): KubernetesObject[] {
  return loadAll(text) as KubernetesObject[];
}

/** The only object of a kind, or the one that is called so; `undefined` where there are none or several. */
export function find<K extends keyof Kinds>(
  objects: readonly KubernetesObject[],
  kind: K,
  name?: string,
): Kinds[K] | undefined {
  const found = objects.filter(
    (object) => object.kind === kind && (name ?? object.metadata.name) === object.metadata.name,
  );
  return found.length === 1 ? (found[0] as Kinds[K]) : undefined;
}

/**
 * The same, where a test makes no sense without it.
 *
 * @throws {Error} where there are none or several
 */
export function get<K extends keyof Kinds>(objects: readonly KubernetesObject[], kind: K, name?: string): Kinds[K] {
  const found = find(objects, kind, name);
  if (found === undefined) {
    throw new Error(`there is not one ${kind} ${name ?? ''}`);
  }
  return found;
}

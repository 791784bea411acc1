import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Container, KubernetesObject, Secret } from './kinds.ts';
import { get } from './rendered.ts';

/** The files of a container, in a folder in the place of its root. */
export interface PodFiles {
  readonly folder: string;
  /** The arguments of the container, with the paths of its files as they are here. */
  readonly args: readonly string[];
}

/**
 * Lays out what the volumes of a container hold. In gateway.yaml their paths, and whatever else `replacements` names, are
 * replaced, so that the gateway can run on this machine.
 *
 * @param outside Secrets that the overlay names and somebody else makes: name, and the text of each file
 */
export function layOutFiles(
  objects: readonly KubernetesObject[],
  container: Container,
  outside: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  replacements: ReadonlyMap<string, string> = new Map(),
): PodFiles {
  const folder = mkdtempSync(join(tmpdir(), 'pod-'));
  const { volumes } = get(objects, 'Deployment').spec.template.spec;
  const paths = container.volumeMounts.map(({ mountPath }) => mountPath);
  const here = (text: string): string => {
    const moved = paths.reduce((result, path) => result.replaceAll(path, join(folder, path)), text);
    return [...replacements].reduce((result, [from, to]) => result.replaceAll(from, to), moved);
  };
  for (const { name, mountPath } of container.volumeMounts) {
    const { projected, secret } = volumes.find((volume) => volume.name === name) ?? {};
    const files = [
      ...(projected?.sources ?? []).map(({ configMap }) => get(objects, 'ConfigMap', configMap.name).data),
      ...(secret === undefined
        ? []
        : [outside[secret.secretName] ?? decode(get(objects, 'Secret', secret.secretName))]),
    ];
    for (const [file, text] of files.flatMap((data) => Object.entries(data))) {
      const path = join(folder, mountPath, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file === 'gateway.yaml' ? here(text) : text);
    }
  }
  return { folder, args: (container.args ?? []).map(here) };
}

function decode({ data }: Secret): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]));
}

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { arch, env, execPath, version as ownVersion } from 'node:process';
import { fileURLToPath } from 'node:url';

/** A Node that the measured servers run on. */
export interface NodeRuntime {
  /** As the table calls it, with its major version only. */
  readonly name: string;
  readonly version: string;
  /** Where its `node` is. */
  readonly folder: string;
}

/** Finds the Node that the image runs: npm's package of its binary, among the installed peers. */
export function findImageNode(): NodeRuntime {
  const folder = new URL(`../peers/node_modules/node-linux-${arch}/`, import.meta.url);
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string };
  return describeNode(`v${version}`, fileURLToPath(new URL('bin', folder)));
}

/** Finds the Node that runs the bench itself, and with it the load. */
export function findOwnNode(): NodeRuntime {
  return describeNode(ownVersion, dirname(execPath));
}

/** Lists the image's Node, and the one that runs the bench where its major version is another. */
export function listNodes(): NodeRuntime[] {
  const [image, own] = [findImageNode(), findOwnNode()];
  return image.name === own.name ? [image] : [image, own];
}

/** The environment in which `node` is this one. */
export function putFirst({ folder }: NodeRuntime): Readonly<Record<string, string>> {
  return { PATH: `${folder}:${env['PATH'] ?? ''}` };
}

function describeNode(version: string, folder: string): NodeRuntime {
  return { name: `Node ${version.replace(/^v(\d+).*/, '$1')}`, version, folder };
}

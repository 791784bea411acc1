import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type GatewayConfig } from '../../src/config/load-config.ts';
import type { Container, Deployment, KubernetesObject } from './kinds.ts';
import { layOutFiles } from './pod-files.ts';
import { get, render } from './rendered.ts';

/** The Secrets that `docs/operate/kubernetes.md` tells the operator to make. */
export const SECRETS_OF_OTHERS = { 'obo-gateway-redis': { password: 'any' } };

/** An overlay as it is rendered, and the configuration that its pods read. */
export interface Overlay {
  readonly objects: readonly KubernetesObject[];
  readonly deployment: Deployment;
  readonly gateway: Container;
  readonly containers: readonly Container[];
  readonly config: GatewayConfig;
}

/** Renders an overlay, and loads its gateway.yaml as its pods would. */
export async function readOverlay(folder: string): Promise<Overlay> {
  const objects = render(folder);
  const deployment = get(objects, 'Deployment');
  const { initContainers, containers } = deployment.spec.template.spec;
  const gateway = containers.find(({ name }) => name === 'gateway');
  if (gateway === undefined) {
    throw new Error('there is no container of the gateway');
  }
  const files = layOutFiles(objects, gateway, SECRETS_OF_OTHERS);
  const config = await loadConfig(join(files.folder, '/etc/obo-gateway/gateway.yaml'), {});
  rmSync(files.folder, { recursive: true });
  return { objects, deployment, gateway, containers: [...initContainers, ...containers], config };
}

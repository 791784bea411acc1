import type { ConfigFault } from '../failures.ts';
import { isJsonObject } from '../syntax/json.ts';
import type { GatewaySettings } from './schema.ts';
import { readKey } from './tree.ts';

/** Checks that the listener for engines has a port of its own. */
export function checkAuthorizationPort(settings: GatewaySettings | undefined): ConfigFault[] {
  const { authorizationService, server } = settings ?? {};
  if (authorizationService === undefined || server === undefined || authorizationService.port === 0) {
    return [];
  }
  const { port } = authorizationService;
  const others = [
    { key: 'server.port', port: server.port },
    { key: 'server.management.port', port: server.management.port },
  ];
  return others
    .filter((other) => other.port === port)
    .map(({ key }) => ({
      at: 'authorizationService.port',
      message: `found ${port}; allowed: another port than ${key}`,
    }));
}

/**
 * Checks that each downstream is reached in some way: the gateway forwards to its address, or engines do. Reads the tree,
 * also when other keys are wrong.
 */
export function checkBaseUrls(tree: unknown): ConfigFault[] {
  const downstreams = readKey(tree, 'downstreams');
  if (readKey(tree, 'authorizationService') !== undefined || !isJsonObject(downstreams)) {
    return [];
  }
  const message =
    'found nothing; allowed: the http or https address of the API, or a section authorizationService where only engines call it';
  return Object.entries(downstreams)
    .filter(([, downstream]) => isJsonObject(downstream) && readKey(downstream, 'baseUrl') === undefined)
    .map(([name]) => ({ at: `downstreams.${name}.baseUrl`, message }));
}

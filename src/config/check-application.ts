import type { ConfigFault } from '../failures.ts';
import { readKey } from './tree.ts';

/** Checks what an application of its own needs besides; reads the tree, so that it also works when other keys are wrong. */
export function checkApplication(tree: unknown): ConfigFault[] {
  const server = readKey(tree, 'server');
  if (readKey(server, 'publicUrl') !== undefined) {
    return [];
  }
  const reasons = [
    ...((readKey(server, 'docs') ?? false) === false ? [] : ['server.docs shows it to people']),
    ...(readKey(readKey(tree, 'mcp'), 'authorizationServer') === 'facade'
      ? ['mcp.authorizationServer: facade sends clients there']
      : []),
  ];
  return reasons.map((reason) => ({
    at: 'server.publicUrl',
    message: `found nothing; allowed: the address of the application, because ${reason}`,
  }));
}

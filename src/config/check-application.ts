import type { ConfigFault } from '../failures.ts';
import { readKey } from './tree.ts';

/** Checks what an application of its own needs besides; reads the tree, so that it also works when other keys are wrong. */
export function checkApplication(tree: unknown): ConfigFault[] {
  const server = readKey(tree, 'server');
  const docs = readKey(server, 'docs') ?? false;
  return docs === false || readKey(server, 'publicUrl') !== undefined
    ? []
    : [
        {
          at: 'server.publicUrl',
          message: 'found nothing; allowed: the address of the application, because server.docs shows it to people',
        },
      ];
}

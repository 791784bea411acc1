import type { ConfigFault } from '../failures.ts';
import { isJsonObject } from '../syntax/json.ts';
import { readKey } from './tree.ts';

/**
 * Checks that no downstream names the gateway itself as its agent identity: it is the blueprint, which is another object.
 * It reads the tree, so that it also works when other keys are wrong.
 */
export function checkAgentIds(tree: unknown): ConfigFault[] {
  const clientId = toId(readKey(readKey(tree, 'identity'), 'clientId'));
  const downstreams = readKey(tree, 'downstreams');
  return Object.entries(isJsonObject(downstreams) ? downstreams : {}).flatMap(([name, downstream]) => {
    const agent = toId(readKey(downstream, 'agent'));
    return agent === undefined || agent !== clientId
      ? []
      : [
          {
            at: `downstreams.${name}.agent`,
            message: 'found identity.clientId, the blueprint; allowed: the client id of one of its agent identities',
          },
        ];
  });
}

function toId(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

import type { ConfigFault } from '../failures.ts';
import { findNearest } from '../syntax/edit-distance.ts';
import { isJsonObject } from '../syntax/json.ts';
import { readKey } from './tree.ts';

/**
 * Checks that the token endpoints name downstreams that gateway.yaml has. It reads the tree, so that it also works when
 * other keys are wrong.
 */
export function checkTokenEndpoints(tree: unknown): ConfigFault[] {
  const named = readKey(readKey(readKey(tree, 'authorizationService'), 'tokenEndpoints'), 'downstreams');
  const downstreams = readKey(tree, 'downstreams');
  const known = isJsonObject(downstreams) ? Object.keys(downstreams) : [];
  return (Array.isArray(named) ? (named as unknown[]) : []).flatMap((name, index) =>
    typeof name !== 'string' || known.includes(name)
      ? []
      : [
          {
            at: `authorizationService.tokenEndpoints.downstreams[${index}]`,
            message: `found ${JSON.stringify(name)}; allowed: a name in downstreams${suggest(name, known)}`,
          },
        ],
  );
}

function suggest(name: string, known: readonly string[]): string {
  const nearest = findNearest(name, known);
  return nearest === undefined ? '' : `, such as ${nearest.word}`;
}

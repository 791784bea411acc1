import { hash } from 'node:crypto';
import type { Operation } from '../contract/operations/operation.ts';
import type { Downstreams } from './downstreams.ts';

/** Names an operation together with its rules: which tool it calls, whom it serves, and which call of which API it becomes. */
export type NameRules = (operation: Operation) => string;

/**
 * Makes the names under which refusals of operations are remembered and counted. After a reload an operation with other
 * rules has another name, so that nothing that was refused by the old ones counts. A name is made when it is first
 * needed, because a contract can have many thousands of operations.
 */
export function createRuleNames(downstreams: Downstreams): NameRules {
  const names = new WeakMap<Operation, string>();
  return (operation) => {
    const known = names.get(operation);
    const name = known ?? describe(operation);
    if (known === undefined) {
      names.set(operation, name);
    }
    return name;
  };

  function describe({ name, tool, access, authContext, service, downstreamPath, upgrade }: Operation): string {
    const { settings, scopes } = downstreams.get(service) ?? {};
    const rules = [tool, access, authContext, service, downstreamPath, upgrade, settings?.baseUrl, scopes?.key];
    return `${name} ${hash('sha256', JSON.stringify(rules), 'base64url')}`;
  }
}

import { Authority } from '../entra/authority.ts';
import type { ConfigFault } from '../failures.ts';
import { DEFAULT_AUTHORITY } from './schema/identity.ts';
import { isJsonObject } from '../syntax/json.ts';
import { readKey } from './tree.ts';

const ALLOWED = "scopes of one resource only; '{resource}/.default' stands alone";

/**
 * Checks that the scopes of each downstream are of one resource, because Entra issues each token for one. The resource
 * of a bare name depends on the cloud, so this needs both `downstreams.*.scopes` and `identity.authority`. It reads the
 * tree, so that it also works when other keys are wrong.
 */
export function checkScopes(tree: unknown): ConfigFault[] {
  const origin = readKey(readKey(tree, 'identity'), 'authority');
  const isAddress = typeof origin === 'string' && URL.canParse(origin);
  const authority = new Authority(isAddress ? origin : DEFAULT_AUTHORITY, '');
  const downstreams = readKey(tree, 'downstreams');
  return Object.entries(isJsonObject(downstreams) ? downstreams : {}).flatMap(([name, downstream]) => {
    const scopes = readKey(downstream, 'scopes');
    return !isListOfTexts(scopes) || areOfOneResource(scopes, authority)
      ? []
      : [{ at: `downstreams.${name}.scopes`, message: `found a list of ${scopes.length}; allowed: ${ALLOWED}` }];
  });
}

function areOfOneResource(scopes: readonly string[], authority: Authority): boolean {
  const names = scopes.map((scope) => authority.qualifyScope(scope));
  const resources = new Set(names.map((name) => authority.resourceOf(name)));
  return resources.size <= 1 && (names.length <= 1 || !names.some((name) => name.endsWith('/.default')));
}

/** True for a list of texts; the schema reports anything else. */
function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

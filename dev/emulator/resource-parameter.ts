import { EntraError } from './entra-error.ts';
import type { App } from './world-model.ts';
import type { Switches } from './switches.ts';

/**
 * Lets pass only `resource` parameters that name the app of the scopes by one of its App ID URIs, to the letter: another
 * path, or a slash at the end, is another resource.
 *
 * @param named the values of `resource`, each of which counts (RFC 8707 §2)
 * @throws {EntraError} 9010010
 * @see https://www.rfc-editor.org/rfc/rfc8707#section-2
 */
export function demandMatchingResource(
  { resourceParameter }: Switches,
  resource: App,
  named: readonly string[] = [],
): void {
  if (resourceParameter === 'checked' && !named.every((uri) => resource.identifierUris.includes(uri))) {
    throw new EntraError(9010010);
  }
}

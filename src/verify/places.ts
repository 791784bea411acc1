import { readServersPath } from '../contract/document/servers.ts';
import type { JsonObject } from '../syntax/json.ts';

/**
 * What stands before the paths of the contract: the path of the address that was given, or else, as the gateway serves it,
 * that of the first of the contract's `servers`.
 *
 * @returns without a slash at the end
 * @throws {Error} when the address of the server cannot be read
 */
export function findBasePath({ pathname }: URL, contract: JsonObject): string {
  const given = pathname.replace(/\/+$/, '');
  return given === '' ? (readServersPath(contract) ?? '') : given;
}

/**
 * Where a document of the gateway can be: it stands beside the operations or above them, because a prefix belongs to one
 * contract and the path of a server does not.
 *
 * @param basePath what stands before the paths of the contract
 * @param path of the document
 * @returns paths, the longest first
 */
export function listPlaces(basePath: string, path: string): string[] {
  const segments = basePath.split('/');
  return segments.map((_segment, index) => `${segments.slice(0, segments.length - index).join('/')}${path}`);
}

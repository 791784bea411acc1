import type { Contract } from '../contract/contract.ts';
import { OWN_PATHS, wellKnownPath } from '../contract/own-paths.ts';
import type { ConfigFault } from '../failures.ts';
import { decodePath } from './decode-path.ts';
import { readPublicPath } from './read-public-path.ts';

/**
 * Finds operations that nobody could reach, because the metadata of the API or of an MCP server are at their paths. The
 * contract itself tells of those that are the gateway's own whatever its address is.
 */
export function checkWellKnownPaths(tree: unknown, { operations, mcpServers }: Contract): ConfigFault[] {
  const publicPath = readPublicPath(tree);
  const resources = [publicPath, ...mcpServers.map(({ path }) => `${publicPath}${path}`)];
  const paths = new Set(resources.map((pathname) => wellKnownPath('resource', { pathname })));
  return operations
    .filter(({ path }) => path !== OWN_PATHS.metadata && paths.has(decodePath(path)))
    .map(({ method, path }) => ({
      at: `contract ${method} ${path}`,
      message: 'is a path that the gateway answers itself',
    }));
}

import { readKey } from './tree.ts';

/**
 * Reads the path of `server.publicUrl`, without a slash at the end. It reads the tree, so that it also works when other keys
 * are wrong.
 *
 * @returns nothing where there is no address, or none that can be read
 */
export function readPublicPath(tree: unknown): string {
  const publicUrl = readKey(readKey(tree, 'server'), 'publicUrl');
  return typeof publicUrl === 'string' && URL.canParse(publicUrl)
    ? new URL(publicUrl).pathname.replace(/\/+$/, '')
    : '';
}

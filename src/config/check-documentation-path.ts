import type { Contract } from '../contract/contract.ts';
import { DOCUMENTATION_PATH } from '../contract/own-paths.ts';
import type { ConfigFault } from '../failures.ts';
import { readKey } from './tree.ts';

/** Finds what nobody could reach, because the page of the documents answers on its paths; it looks at the tree, too. */
export function checkDocumentationPath(tree: unknown, { operations }: Contract): ConfigFault[] {
  const docs = readKey(readKey(tree, 'server'), 'docs') ?? false;
  if (docs === false) {
    return [];
  }
  const nativeAuthPath = readKey(readKey(tree, 'nativeAuth'), 'path');
  const message = `is at or below ${DOCUMENTATION_PATH}, where server.docs shows the documents`;
  return [
    ...(typeof nativeAuthPath === 'string' && isAtPage(nativeAuthPath) ? [{ at: 'nativeAuth.path', message }] : []),
    ...operations
      .filter(({ path }) => isAtPage(path))
      .map(({ method, path }) => ({ at: `contract ${method} ${path}`, message })),
  ];
}

function isAtPage(path: string): boolean {
  return `${path}/`.startsWith(`${DOCUMENTATION_PATH}/`);
}

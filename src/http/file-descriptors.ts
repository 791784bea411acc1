import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/**
 * True while this process can open one more file or connection. When it cannot, Node and its event loop close what they
 * accept, and emit nothing.
 */
export function hasFreeDescriptor(): boolean {
  try {
    closeSync(openSync(devNull, 'r'));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'EMFILE' && code !== 'ENFILE';
  }
}

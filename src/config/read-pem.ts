import { readFileSync } from 'node:fs';
import type { ConfigFault } from '../failures.ts';

/**
 * Reads a PEM file that gateway.yaml names.
 *
 * @param at the key that names it
 * @param faults gets an entry when the file cannot be used
 * @returns `undefined` when it cannot be used
 */
export function readPem<T>(file: string, at: string, faults: ConfigFault[], parse: (pem: string) => T): T | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    if (!text.includes('-----BEGIN ')) {
      throw new Error('not PEM');
    }
    return parse(text);
  } catch (error) {
    // Node's own message could quote the file.
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'which does not exist' : 'which cannot be used';
    faults.push({ at, message: `found ${file}, ${why}; allowed: a readable PEM file` });
    return undefined;
  }
}

import type { Access } from '../../session/requirement.ts';
import type { Extension } from './extensions.ts';

const AUTH_CONTEXT = /^c[1-9][0-9]?$/;

/** Reads the Conditional Access authentication context that callers must have; `undefined` where none is asked for. */
export function readAuthContext(
  extension: Extension | undefined,
  access: Access,
  fault: (message: string) => void,
): string | undefined {
  if (extension === undefined) {
    return undefined;
  }
  const { value, written } = extension;
  if (typeof value !== 'string' || !AUTH_CONTEXT.test(value)) {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: c1 to c99`);
    return undefined;
  }
  if (access === 'anonymous') {
    fault(`has an ${written} but is anonymous`);
  }
  return value;
}

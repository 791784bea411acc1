import { isJsonObject } from '../../syntax/json.ts';
import { parseDuration, parseSize } from '../../syntax/units.ts';
import type { Extension, Extensions } from './extensions.ts';
import type { Operation } from './operation.ts';

const TIME_ALLOWED = "a duration such as 500ms, 30s or 5m, not zero, or 'none'";

/** Reads `x-timeout` and `x-body-limit`: what counts for one operation in the place of the downstream's and the server's. */
export function readLimits(
  { timeout, bodyLimit }: Extensions,
  fault: (message: string) => void,
): Pick<Operation, 'timeouts' | 'bodyLimitBytes'> {
  const timeouts = timeout && readTimeouts(timeout, fault);
  const bodyLimitBytes = bodyLimit && readSize(bodyLimit, fault);
  return {
    ...(timeouts !== undefined && { timeouts }),
    ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
  };
}

function readTimeouts({ value, written }: Extension, fault: (message: string) => void): Operation['timeouts'] {
  const { response, idle, ...unknown } = isJsonObject(value) ? value : { response: value };
  for (const key of Object.keys(unknown)) {
    fault(`has the unknown key ${key} in ${written}; known: response, idle`);
  }
  const responseMs = readTime(response, written, fault);
  const idleMs = readTime(idle, `${written} idle`, fault);
  return {
    ...(responseMs !== undefined && { responseMs }),
    ...(idleMs !== undefined && { idleMs }),
  };
}

function readTime(value: unknown, written: string, fault: (message: string) => void): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (value === 'none') {
    return Number.POSITIVE_INFINITY;
  }
  const milliseconds = typeof value === 'string' ? parseDuration(value) : undefined;
  if (milliseconds === undefined || milliseconds === 0) {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: ${TIME_ALLOWED}`);
    return undefined;
  }
  return milliseconds;
}

function readSize({ value, written }: Extension, fault: (message: string) => void): number | undefined {
  const bytes = typeof value === 'string' ? parseSize(value) : undefined;
  if (bytes === undefined) {
    fault(`has the ${written} ${JSON.stringify(value)}; allowed: a size such as 64kb, 10mb or 2gb`);
  }
  return bytes;
}

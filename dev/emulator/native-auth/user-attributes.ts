import { EntraError } from '../entra-error.ts';
import type { RequiredAttribute } from '../world-model.ts';
import type { NewAccount } from './flow.ts';
import { demandNativeAuthentication, type NativeRequest } from './native-request.ts';

type Attributes = Readonly<Record<string, string>>;

/**
 * What the request tells of a person, by name; what the app does not ask for is left out, as Entra does.
 * @throws {EntraError} 90100 when `attributes` is no JSON object, 55105 naming those whose value is not allowed
 */
export function readAttributes(request: NativeRequest): Attributes {
  const sent = parseObject(request.form.get('attributes'));
  const known = requiredAttributes(request).filter(({ name }) => sent[name] !== undefined);
  const invalid = known.filter(({ name, pattern }) => !isGood(sent[name], pattern));
  if (invalid.length > 0) {
    throw new EntraError(55105, { members: { invalid_attributes: invalid.map(({ name }) => ({ name })) } });
  }
  return Object.fromEntries(known.map(({ name }) => [name, String(sent[name])]));
}

/** The attributes that the app asks for and the person has not told yet, as Entra describes them to the client. */
export function findMissingAttributes(request: NativeRequest, { attributes }: NewAccount): object[] {
  return requiredAttributes(request)
    .filter(({ name }) => attributes[name] === undefined)
    .map(({ name, pattern }) => ({ name, type: 'string', required: true, options: { regex: pattern } }));
}

function requiredAttributes({ client }: NativeRequest): readonly RequiredAttribute[] {
  return demandNativeAuthentication(client).requiredAttributes;
}

function isGood(value: unknown, pattern: string): boolean {
  return typeof value === 'string' && new RegExp(pattern).test(value);
}

function parseObject(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Told below, like any other text that is no object.
  }
  throw new EntraError(90100, { text: 'attributes parameter is empty or not valid.' });
}

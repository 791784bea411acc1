import { isJsonObject, type JsonObject } from '../syntax/json.ts';
import type { Check } from '../contract/schema/schemas.ts';
import type { TriedParameter } from './load-operations.ts';
import { shapeOf, toSource, withoutParameter, withText, type RequestParts } from './request-parts.ts';

/** Longer texts would break the limits of the connection before they break the contract. */
const LONGEST = 4_096;

/** The same request with a value that the parameter does not allow; `undefined` where it allows everything we try. */
export function breakParameter(parts: RequestParts, parameter: TriedParameter): RequestParts | undefined {
  return listBrokenTexts(parameter.schema.value)
    .flatMap((text) => placeText(parts, parameter, text))
    .find((broken) => parameter.check(toSource(broken)).length > 0);
}

function placeText(parts: RequestParts, parameter: TriedParameter, text: string): RequestParts[] {
  const { declaration, schema } = parameter;
  if (declaration.in === 'path' && text === '') {
    return [];
  }
  const members = schema.value['properties'];
  if (declaration.in !== 'query' || shapeOf(declaration) !== 'map' || !isJsonObject(members)) {
    return [withText(parts, declaration, text)];
  }
  const bare = withoutParameter(parts, parameter);
  return Object.keys(members).map((member) => ({
    ...bare,
    query: [
      ...bare.query,
      [declaration.style === 'deepObject' ? `${declaration.name}[${member}]` : member, encodeURIComponent(text)],
    ],
  }));
}

function listBrokenTexts({ maxLength, maximum, minimum, maxItems }: JsonObject): string[] {
  return [
    'not valid',
    ...(typeof maximum === 'number' ? [String(maximum + 1)] : []),
    ...(typeof minimum === 'number' ? [String(minimum - 1)] : []),
    ...(typeof maxLength === 'number' && maxLength < LONGEST ? ['x'.repeat(maxLength + 1)] : []),
    ...(typeof maxItems === 'number' && maxItems < LONGEST ? ['x,'.repeat(maxItems)] : []),
    '-1',
    '0.5',
    '',
  ];
}

/** A body that the check refuses, as near to the sample as can be; `undefined` where everything fits. */
export function breakBody(sample: unknown, check: Check): { readonly value: unknown } | undefined {
  const members = isJsonObject(sample) ? Object.keys(sample) : [];
  const candidates = [
    ...members.map((name) => omit(sample, name)),
    ...members.map((name) => ({ ...(sample as JsonObject), [name]: null })),
    ...(isJsonObject(sample) ? [{ ...sample, notInTheContract: true }] : []),
    ['not valid'],
    'not valid',
    -1,
    {},
    null,
  ];
  return candidates.map((value) => ({ value })).find(({ value }) => check(value) !== undefined);
}

function omit(sample: unknown, name: string): JsonObject {
  return Object.fromEntries(Object.entries(sample as JsonObject).filter(([key]) => key !== name));
}

import { MAX_CLAIMS_BYTES } from './claims-request.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from './json.ts';

/** The claim before which a token must not have been issued: the later time meets both. */
const NOT_BEFORE = 'nbf';

/**
 * Joins claims requests into one that asks for all that each of them asks for.
 *
 * @param requests as JSON text
 * @returns as JSON text; `undefined` where one of them cannot be read, or the whole is too large for a challenge
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests
 */
export function joinClaims(requests: readonly string[]): string | undefined {
  const different = [...new Set(requests)];
  if (different.length === 1) {
    return different[0];
  }
  const parsed = different.map(parseJsonObject);
  if (parsed.includes(undefined)) {
    return undefined;
  }
  const joined = JSON.stringify((parsed as JsonObject[]).reduce((all, one) => joinMembers(all, one, joinSection)));
  return Buffer.byteLength(joined) <= MAX_CLAIMS_BYTES ? joined : undefined;
}

type Join = (one: unknown, other: unknown, name: string) => unknown;

/** The union of the members; what both have is joined. */
function joinMembers(one: JsonObject, other: JsonObject, join: Join): JsonObject {
  return Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((name) => [
      name,
      !Object.hasOwn(one, name)
        ? other[name]
        : !Object.hasOwn(other, name)
          ? one[name]
          : join(one[name], other[name], name),
    ]),
  );
}

/** Joins the claims for one kind of token: `access_token`, `id_token`. */
function joinSection(one: unknown, other: unknown): unknown {
  return isJsonObject(one) && isJsonObject(other) ? joinMembers(one, other, joinClaim) : (one ?? other);
}

/** Joins what is asked of one claim; `null` asks for the claim and nothing else. */
function joinClaim(one: unknown, other: unknown, name: string): unknown {
  if (!isJsonObject(one) || !isJsonObject(other)) {
    return one ?? other;
  }
  const { value: _value, values: _values, essential: _essential, ...rest } = joinMembers(one, other, (first) => first);
  const isEssential = one['essential'] === true || other['essential'] === true;
  const voluntary = one['essential'] === false || other['essential'] === false ? { essential: false } : {};
  return { ...(isEssential ? { essential: true } : voluntary), ...joinValues(one, other, name), ...rest };
}

function joinValues(one: JsonObject, other: JsonObject, name: string): JsonObject {
  const wanted = [...listValues(one), ...listValues(other)];
  const values = [...new Map(wanted.map((value) => [JSON.stringify(value), value])).values()];
  if (values.length === 0) {
    return {};
  }
  if (Array.isArray(one['values']) || Array.isArray(other['values'])) {
    return { values };
  }
  if (name === NOT_BEFORE) {
    return { value: values.toSorted((a, b) => Number(b) - Number(a))[0] };
  }
  return values.length === 1 ? { value: values[0] } : { values };
}

function listValues({ value, values }: JsonObject): readonly unknown[] {
  return [...(value === undefined ? [] : [value]), ...(Array.isArray(values) ? (values as unknown[]) : [])];
}

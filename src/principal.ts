import { GatewayError } from './failures.ts';

/** Who is calling, as far as a verified access token says it. */
export interface Principal {
  readonly kind: 'user' | 'app';
  /** `tid`, lower case. */
  readonly tenantId: string;
  /** `oid`; absent in odd tokens, so nothing may depend on it but logs. */
  readonly objectId: string | undefined;
  /** `azp` of a v2 token, `appid` of a v1 token. */
  readonly clientId: string | undefined;
  /** `scp`: what the user lets the client do. */
  readonly scopes: ReadonlySet<string>;
  /** `roles`: what the app may do, for app-only callers. */
  readonly roles: ReadonlySet<string>;
  /** `acrs`: the Conditional Access authentication contexts that are met. */
  readonly authContexts: ReadonlySet<string>;
  /** `iat` in seconds since the epoch, 0 when the token does not say. */
  readonly issuedAt: number;
  /** True when the client declared `cp1`, so that it can take claims challenges (`xms_cc`). */
  readonly handlesClaims: boolean;
}

/** The payload of an access token: verified, but not yet trusted to have any shape. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Reads the caller from the claims of a verified access token.
 *
 * @throws {GatewayError} `invalid_token` for ID tokens and for tokens with neither `scp` nor `roles`, which any app of
 *   the tenant can get for any API
 */
export function toPrincipal(claims: TokenClaims): Principal {
  const scopes = toWords(claims['scp']);
  const roles = toWords(claims['roles']);
  const clientId = toText(claims['azp']) ?? toText(claims['appid']);
  const tenantId = toText(claims['tid']) ?? '';
  return {
    kind: tellKind({ scopes, roles, clientId, idtyp: claims['idtyp'], nonce: claims['nonce'] }),
    tenantId: share(tenantId.toLowerCase()),
    objectId: toText(claims['oid']),
    clientId: clientId === undefined ? undefined : share(clientId.toLowerCase()),
    scopes,
    roles,
    authContexts: toWords(claims['acrs']),
    issuedAt: typeof claims['iat'] === 'number' ? claims['iat'] : 0,
    handlesClaims: [...toWords(claims['xms_cc'])].some((capability) => capability.toLowerCase() === 'cp1'),
  };
}

interface KindMarks {
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly clientId: string | undefined;
  readonly idtyp: unknown;
  readonly nonce: unknown;
}

/**
 * Where a client and the API share one registration, an ID token has our audience and may have `roles`. It has a
 * `nonce` and no client id, so a token without `scp` counts as an app's only when it shows neither mark.
 */
function tellKind({ scopes, roles, clientId, idtyp, nonce }: KindMarks): Principal['kind'] {
  if (scopes.size > 0 && idtyp !== 'app') {
    return 'user';
  }
  const isApp = idtyp === undefined || idtyp === 'app';
  if (scopes.size === 0 && roles.size > 0 && isApp && clientId !== undefined && nonce === undefined) {
    return 'app';
  }
  throw new GatewayError('invalid_token', { log: { reason: 'the token is no access token of a user or an app' } });
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Entra writes lists as arrays, `scp` as words between spaces, and some of either as the other. */
function toWords(value: unknown): ReadonlySet<string> {
  const texts = Array.isArray(value) ? value : [value];
  const words = texts.flatMap((text) => (typeof text === 'string' ? text.split(' ') : []));
  const key = words.filter((word) => word !== '').join(' ');
  return sharedSets.take(key) ?? sharedSets.keep(key, new Set(key === '' ? [] : key.split(' ')));
}

/** Values that many callers have alike, so that each is in memory once: without it a session takes 0.7 kB more. */
class Shared<T> {
  /** Beyond it, each caller has its own. */
  static readonly #MOST = 1_000;
  readonly #values = new Map<string, T>();

  take(key: string): T | undefined {
    return this.#values.get(key);
  }

  keep(key: string, value: T): T {
    if (this.#values.size < Shared.#MOST) {
      this.#values.set(key, value);
    }
    return value;
  }
}

const sharedSets = new Shared<ReadonlySet<string>>();
const sharedIds = new Shared<string>();

function share(id: string): string {
  return sharedIds.take(id) ?? sharedIds.keep(id, id);
}

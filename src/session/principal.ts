import { GatewayError } from '../failures.ts';

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
  /** True when the token is bound to a key of its client (`cnf`, RFC 7800), which nobody has proved to hold here. */
  readonly isBound: boolean;
}

/** The payload of an access token: verified, but not yet trusted to have any shape. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Reads the caller from the claims of a verified access token.
 *
 * @throws {GatewayError} `invalid_token` for what is neither a user's nor an app's access token: ID tokens, tokens with
 *   neither `scp` nor `roles` (which any app of the tenant can get for any API), and tokens of persons without `scp`
 */
export function toPrincipal(claims: TokenClaims): Principal {
  const scopes = toWords(claims['scp']);
  const roles = toWords(claims['roles']);
  const clientId = toText(claims['azp']) ?? toText(claims['appid']);
  const tenantId = toText(claims['tid']) ?? '';
  return {
    kind: kindOf(claims, { scopes, roles, clientId }),
    tenantId: share(tenantId.toLowerCase()),
    objectId: toText(claims['oid']),
    clientId: clientId === undefined ? undefined : share(clientId.toLowerCase()),
    scopes,
    roles,
    authContexts: toWords(claims['acrs']),
    issuedAt: typeof claims['iat'] === 'number' ? claims['iat'] : 0,
    handlesClaims: [...toWords(claims['xms_cc'])].some((capability) => capability.toLowerCase() === 'cp1'),
    isBound: claims['cnf'] !== undefined,
  };
}

/** What decides the kind of caller besides the claims themselves. */
type Granted = Pick<Principal, 'scopes' | 'roles' | 'clientId'>;

/** A user's token has scopes, an app's has roles; a program has no third kind of token to come with. */
function kindOf(claims: TokenClaims, { scopes, roles, clientId }: Granted): Principal['kind'] {
  const { idtyp, scp } = claims;
  if (scopes.size > 0 && (idtyp === undefined || idtyp === 'user')) {
    return 'user';
  }
  if (scp === undefined && roles.size > 0 && clientId !== undefined && isOfApp(claims)) {
    return 'app';
  }
  throw new GatewayError('invalid_token', { log: { reason: 'the token is no access token of a user or an app' } });
}

/** The claims that Entra fills with the name of a person; a program has none of them. */
const NAMES_OF_PERSONS = ['upn', 'unique_name', 'preferred_username'];

/**
 * Only an application counts as one, because an app's call gets the gateway's own permissions. `idtyp` says it; without
 * that optional claim, the subject of an app's token is the app's own object, while that of a person differs from API to
 * API. Where a client and the API share one registration, an ID token has our audience and may have `roles`: it has a
 * `nonce`.
 */
function isOfApp(claims: TokenClaims): boolean {
  const { idtyp, oid, sub, nonce } = claims;
  if (nonce !== undefined) {
    return false;
  }
  const isOwnSubject = toText(oid) !== undefined && oid === sub;
  const isNameless = NAMES_OF_PERSONS.every((name) => claims[name] === undefined);
  return idtyp === 'app' || (idtyp === undefined && isOwnSubject && isNameless);
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
  static readonly #MAX_SIZE = 1_000;
  readonly #values = new Map<string, T>();

  take(key: string): T | undefined {
    return this.#values.get(key);
  }

  keep(key: string, value: T): T {
    if (this.#values.size < Shared.#MAX_SIZE) {
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

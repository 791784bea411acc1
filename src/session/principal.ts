import { GatewayError } from '../failures.ts';

/** Who is calling, as a verified access token says it. */
export interface Principal {
  readonly kind: 'user' | 'app';
  /** `tid`, lower case. */
  readonly tenantId: string;
  /** `oid`; absent in odd tokens, so that no decision about access depends on it. */
  readonly objectId: string | undefined;
  /** `azp` of a v2 token, `appid` of a v1 token. */
  readonly clientId: string | undefined;
  /** `scp`: what the user allows the client to do. */
  readonly scopes: ReadonlySet<string>;
  /** `roles`: what the app may do, for app-only callers. */
  readonly roles: ReadonlySet<string>;
  /** `acrs`: the Conditional Access authentication contexts that the sign-in has met. */
  readonly authContexts: ReadonlySet<string>;
  /** `iat`, in seconds since the epoch; 0 when the token has none. */
  readonly issuedAtSeconds: number;
  /** True when the client declared `cp1`, so that it can take claims challenges (`xms_cc`). */
  readonly handlesClaims: boolean;
  /**
   * True when the token is bound to a key (`cnf`). Its sender has not proved to the gateway that it holds that key.
   *
   * @see https://www.rfc-editor.org/rfc/rfc7800#section-3.1
   */
  readonly isBound: boolean;
}

/** The payload of an access token: its signature is verified, but its members can have any type. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Reads the caller from the claims of a verified access token.
 *
 * @throws {GatewayError} `invalid_token` for anything but the access token of a user or an app: ID tokens, tokens with
 *   neither `scp` nor `roles` (which any app of the tenant can get for any API), and tokens of users without `scp`
 * @see https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
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
    issuedAtSeconds: typeof claims['iat'] === 'number' ? claims['iat'] : 0,
    handlesClaims: [...toWords(claims['xms_cc'])].some((capability) => capability.toLowerCase() === 'cp1'),
    isBound: claims['cnf'] !== undefined,
  };
}

/**
 * Names a caller, whatever its token, together with what it calls. Every call that succeeds needs such a key, and JSON
 * would take four times as long.
 */
export function callerKey({ tenantId, objectId, clientId }: Principal, called: string): string {
  return `${tenantId}\n${objectId}\n${clientId}\n${called}`;
}

/** What decides the kind of caller, besides the claims themselves. */
type Granted = Pick<Principal, 'scopes' | 'roles' | 'clientId'>;

/** A user's token has scopes and an app's token has roles; every other token is refused. */
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

/** The claims that name a user; the token of an app has none of them. */
const NAMES_OF_USERS = ['upn', 'unique_name', 'preferred_username'];

/**
 * True only for the token of an app. The test is strict, because an app's call gets the gateway's own permissions.
 * `idtyp` says it. Without that optional claim, an app's token has the app's own object as its subject, while the
 * subject of a user differs from API to API. Where a client and the API share one registration, an ID token has our
 * audience and can have `roles`; it is recognised by its `nonce`.
 */
function isOfApp(claims: TokenClaims): boolean {
  const { idtyp, oid, sub, nonce } = claims;
  if (nonce !== undefined) {
    return false;
  }
  const isOwnSubject = toText(oid) !== undefined && oid === sub;
  const isNameless = NAMES_OF_USERS.every((name) => claims[name] === undefined);
  return idtyp === 'app' || (idtyp === undefined && isOwnSubject && isNameless);
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads a list. Entra writes most as arrays and `scp` as words with spaces between, but some in the other way. */
function toWords(value: unknown): ReadonlySet<string> {
  const texts = Array.isArray(value) ? value : [value];
  const words = texts.flatMap((text) => (typeof text === 'string' ? text.split(' ') : []));
  const key = words.filter((word) => word !== '').join(' ');
  return sharedSets.get(key) ?? sharedSets.keep(key, new Set(key === '' ? [] : key.split(' ')));
}

/** Keeps equal values of many callers in memory once; without it, a session takes 0.7 kB more. */
class Shared<T> {
  /** When the store is full, each caller with a new value keeps one of its own. */
  static readonly #MAX_SIZE = 1_000;
  readonly #values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  keep(key: string, value: T): T {
    if (this.#values.size < Shared.#MAX_SIZE) {
      this.#values.set(key, value);
    }
    return value;
  }
}

/** What a caller has in common with many others: all but which user it is, and when its token was issued. */
export type SharedTraits = Omit<Principal, 'objectId' | 'issuedAtSeconds'>;

/** Finds what a caller has in common with others, which is in memory once for all of them. */
export function shareTraits(principal: Principal): SharedTraits {
  const { kind, tenantId, clientId, scopes, roles, authContexts, handlesClaims, isBound } = principal;
  const traits = { kind, tenantId, clientId, scopes, roles, authContexts, handlesClaims, isBound };
  const key = JSON.stringify({ ...traits, scopes: [...scopes], roles: [...roles], authContexts: [...authContexts] });
  return sharedTraits.get(key) ?? sharedTraits.keep(key, traits);
}

// State of the module is harmless here: the values are constants, the same for every gateway of the process.
const sharedTraits = new Shared<SharedTraits>();
const sharedSets = new Shared<ReadonlySet<string>>();
const sharedIds = new Shared<string>();

function share(id: string): string {
  return sharedIds.get(id) ?? sharedIds.keep(id, id);
}

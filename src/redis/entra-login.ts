import type { DownstreamToken } from '../session/downstream-token.ts';
import { parseJsonObject } from '../syntax/json.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * The scope of access tokens for Azure Managed Redis and Azure Cache for Redis, the same in every cloud.
 *
 * @see https://learn.microsoft.com/azure/redis/entra-for-authentication#microsoft-entra-client-workflow
 */
export const REDIS_SCOPE = 'https://redis.azure.com/.default';

/** How `tokenCache.redis.entra` says who logs in. */
export interface EntraLoginSettings {
  /** The object id of the identity; default that of the token. */
  readonly objectId?: string | undefined;
}

/** What {@link EntraLogin} works with. */
export interface EntraLoginOptions extends EntraLoginSettings {
  /** Gets an access token of the gateway's own for {@link REDIS_SCOPE}. */
  readonly fetchToken: () => Promise<DownstreamToken>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: nothing is told. */
  readonly log?: Pick<Logger, 'warn' | 'info'> | undefined;
}

/** A user and a password for Redis. */
export interface UserAndPassword {
  readonly username: string;
  readonly password: string;
}

/** What Redis is told while there is no token: it refuses that, and the connection is tried again. */
const NOBODY: UserAndPassword = { username: 'no-token', password: 'no-token' };

const KEY = 'tokenCache.redis.entra';

const NO_TOKEN = {
  key: KEY,
  reason: 'Entra gave no token for Redis',
  remedy: `Run "obo-gateway check --only redis,credential"; the app must be able to get a token for ${REDIS_SCOPE}.`,
};

/** A login with an access token of Entra as the password; it is renewed in time, and used until then. */
export class EntraLogin {
  readonly #options: EntraLoginOptions;
  #token: DownstreamToken | undefined;
  #login = NOBODY;
  #fetching: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: EntraLoginOptions) {
    this.#options = options;
  }

  /** The login as it is now; with {@link EntraLogin.renew} before, it has a fresh token. */
  get login(): UserAndPassword {
    return this.#login;
  }

  /** Gets a new token if it is time for one. When Entra gives none, the old one stays, and the log says so once. */
  async renew(): Promise<void> {
    if (this.#token === undefined || this.#options.now() >= this.#token.refreshAt) {
      await (this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined)));
    }
  }

  async #fetch(): Promise<void> {
    const { fetchToken, objectId, log } = this.#options;
    try {
      const token = await fetchToken();
      const password = token.accessToken;
      this.#login = { username: objectId ?? readObjectId(password) ?? NOBODY.username, password };
      this.#token = token;
      if (this.#isFailing) {
        log?.info({ key: KEY }, 'there is a token for Redis again');
      }
      this.#isFailing = false;
    } catch {
      // What Entra said is not passed on; the check tells it.
      if (!this.#isFailing) {
        log?.warn(NO_TOKEN, 'the login at Redis cannot be renewed');
      }
      this.#isFailing = true;
    }
  }
}

/** Makes the login where the address wants one by Entra; `undefined` for another one. */
export function createEntraLogin(
  { entra }: { readonly entra?: EntraLoginSettings | undefined },
  {
    fetchToken,
    now,
    log,
  }: Omit<EntraLoginOptions, 'fetchToken' | 'objectId'> & {
    readonly fetchToken: EntraLoginOptions['fetchToken'] | undefined;
  },
): EntraLogin | undefined {
  return entra && fetchToken && new EntraLogin({ ...entra, fetchToken, now, log });
}

/** The `oid` of an access token. Redis decides by the token itself, so its signature does not matter here. */
function readObjectId(token: string): string | undefined {
  const [, payload = ''] = token.split('.');
  const { oid } = parseJsonObject(Buffer.from(payload, 'base64url').toString()) ?? {};
  return typeof oid === 'string' ? oid : undefined;
}

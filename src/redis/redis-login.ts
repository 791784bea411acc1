import { SecretFile } from '../resilience/secret-file.ts';
import { CredentialLog, type CredentialReports } from '../telemetry/credential-log.ts';
import type { EntraLogin } from './entra-login.ts';
import type { RedisAddress, RedisLoginFiles } from './redis-address.ts';

/** Users and passwords, by the names that the client library has for them. */
interface LoginValues {
  username?: string | undefined;
  password?: string | undefined;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
}

const VALUE_OF: Readonly<Record<keyof RedisLoginFiles, keyof LoginValues>> = {
  userFile: 'username',
  passwordFile: 'password',
  sentinelUserFile: 'sentinelUsername',
  sentinelPasswordFile: 'sentinelPassword',
};

/** The users and passwords for Redis and its Sentinels: those of the address, those that stand in files, or of Entra. */
export class RedisLogin {
  readonly #values: LoginValues;
  readonly #files: readonly (readonly [keyof LoginValues, SecretFile])[];

  /** The login by a token of Entra; `undefined` for another one. */
  readonly entra: EntraLogin | undefined;

  /** @param reports get to know when a file has changed, or cannot be read any more */
  constructor(
    { username, password, place, loginFiles = {} }: RedisAddress,
    { reports, entra }: { readonly reports?: CredentialReports; readonly entra?: EntraLogin | undefined } = {},
  ) {
    this.entra = entra;
    const sentinel = place.kind === 'sentinel' ? place : undefined;
    this.#values = {
      username,
      password,
      sentinelUsername: sentinel?.username,
      sentinelPassword: sentinel?.password,
    };
    this.#files = (Object.keys(VALUE_OF) as (keyof RedisLoginFiles)[]).flatMap((key) => {
      const path = loginFiles[key];
      const listener = reports && new CredentialLog(reports, `tokenCache.redis.${key}`);
      return path === undefined ? [] : [[VALUE_OF[key], new SecretFile(path, listener)] as const];
    });
  }

  /** What was read last. */
  get values(): Readonly<LoginValues> {
    return this.#values;
  }

  /** Reads the files again, and renews a token of Entra; what cannot be had stays as it was. */
  async refresh(): Promise<void> {
    if (this.entra !== undefined) {
      await this.entra.renew();
      Object.assign(this.#values, this.entra.login);
    }
    await Promise.all(
      this.#files.map(async ([name, file]) => {
        // Without the secret Redis refuses the connection, and that is reported.
        this.#values[name] = await file.read().catch(() => this.#values[name]);
      }),
    );
  }
}

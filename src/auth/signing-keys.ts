import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { Authority, TokenVersion } from '../entra/authority.ts';
import type { EntraHttpClient } from '../entra/http-client.ts';
import { isLoopback } from '../entra/loopback.ts';
import { GatewayError } from '../failures.ts';
import type { SigningKey } from '../session.ts';

/** Where the keys report what they cannot mend themselves. */
export interface KeyLog {
  warn(fields: object, message: string): void;
}

interface KeySetOptions {
  readonly url: string;
  readonly http: EntraHttpClient;
  readonly now: () => number;
  readonly log: KeyLog;
}

/** An unknown `kid` makes us ask Entra again, but not more often than this; milliseconds. */
const COOL_DOWN = 30_000;

/** While there are no keys at all, every request may try, but not more often than this; milliseconds. */
const RETRY_PAUSE = 1_000;

/** Entra advises to look for new keys every hour. */
const REFRESH_INTERVAL = 60 * 60 * 1_000;

const FIRST_TRIES = [500, 1_000, 2_000, 5_000, 10_000];

/**
 * The issuer and the signing keys of one version of tokens. jwks-rsa is no help here: it drops each key's `issuer`,
 * caches no failure, and lets unknown `kid`s use up the budget of good ones.
 */
class KeySet {
  readonly #options: KeySetOptions;
  #issuer = '';
  #keys = new Map<string, SigningKey>();
  #loading: Promise<void> | undefined;
  #isAbsent = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #askedForUnknownAt = Number.NEGATIVE_INFINITY;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  get isLoaded(): boolean {
    return this.#keys.size > 0;
  }

  /** True when Entra said that there is no such document: External ID, for one, has none for v1. */
  get isAbsent(): boolean {
    return this.#isAbsent && !this.isLoaded;
  }

  /** The issuer of a tenant's tokens; empty while nothing is loaded. */
  issuerOf(tenantId: string): string {
    return this.#issuer.replaceAll('{tenantid}', tenantId);
  }

  async find(kid: string): Promise<SigningKey | undefined> {
    const known = this.#keys.get(kid);
    if (known !== undefined) {
      return known;
    }
    if (this.#loading !== undefined) {
      await this.#loading;
    } else if (this.#mayAskNow()) {
      await this.refresh();
    }
    return this.#keys.get(kid);
  }

  /** Asks Entra; when it cannot be reached or talks nonsense, the last good set stays. */
  refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  #mayAskNow(): boolean {
    const now = this.#options.now();
    if (!this.isLoaded) {
      return now - this.#triedAt >= (this.isAbsent ? COOL_DOWN : RETRY_PAUSE);
    }
    if (now - this.#askedForUnknownAt < COOL_DOWN) {
      return false;
    }
    this.#askedForUnknownAt = now;
    return true;
  }

  async #load(): Promise<void> {
    const { url, http, log, now } = this.#options;
    this.#triedAt = now();
    try {
      const { issuer, keys } = await fetchSigningKeys(http, url);
      this.#issuer = issuer;
      this.#replace(keys);
    } catch (error) {
      this.#isAbsent = error instanceof NoSuchDocument;
      log.warn(
        { url, reason: (error as Error).message, kept: this.#keys.size },
        'The signing keys of Entra could not be fetched; check that the gateway can reach this address.',
      );
    }
  }

  /** Keys that stay keep their object, so that sessions signed by them live on; the others are retired. */
  #replace(keys: readonly SigningKey[]): void {
    const next = new Map<string, SigningKey>();
    for (const key of keys) {
      const known = this.#keys.get(key.kid);
      next.set(key.kid, known?.publicKey.equals(key.publicKey) === true && known.issuer === key.issuer ? known : key);
    }
    for (const [kid, key] of this.#keys) {
      key.retired = next.get(kid) !== key;
    }
    this.#keys = next;
  }
}

/** Entra answered that it does not have a document. */
export class NoSuchDocument extends Error {}

/**
 * Fetches the issuer and the usable keys of one version of tokens.
 *
 * @param url the address of the OpenID configuration
 * @throws {NoSuchDocument} when Entra has no such document
 * @throws {EntraUnreachable} when it does not answer; any other error when the answer is of no use
 */
export async function fetchSigningKeys(
  http: EntraHttpClient,
  url: string,
): Promise<{ readonly issuer: string; readonly keys: readonly SigningKey[] }> {
  const metadata = await fetchJson(http, url);
  const issuer = metadata['issuer'];
  const jwksUri = metadata['jwks_uri'];
  if (typeof issuer !== 'string' || typeof jwksUri !== 'string') {
    throw new Error('the metadata has no issuer or no jwks_uri');
  }
  const keys = readKeys(await fetchJson(http, jwksUri));
  if (keys.length === 0) {
    throw new Error('the key set has no usable key');
  }
  return { issuer, keys };
}

async function fetchJson(http: EntraHttpClient, url: string): Promise<Record<string, unknown>> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new Error(`${url} is not https`);
  }
  const { status, text } = await http.get(url);
  if (status >= 400 && status < 500 && status !== 429) {
    throw new NoSuchDocument(`${url} answered ${status}`);
  }
  if (status !== 200) {
    throw new Error(`${url} answered ${status}`);
  }
  const json: unknown = JSON.parse(text);
  if (typeof json !== 'object' || json === null) {
    throw new Error(`${url} answered no JSON object`);
  }
  return json as Record<string, unknown>;
}

function readKeys(jwks: Record<string, unknown>): SigningKey[] {
  const entries = Array.isArray(jwks['keys']) ? (jwks['keys'] as unknown[]) : [];
  return entries.flatMap((entry) => readSigningKey(entry) ?? []);
}

/** RSA keys for signatures; whatever else stands in the set is none of our business. */
function readSigningKey(entry: unknown): SigningKey | undefined {
  const jwk = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  const { kty, use, kid, alg, issuer } = jwk;
  const signs = kty === 'RSA' && (use === undefined || use === 'sig') && (alg === undefined || alg === 'RS256');
  if (!signs || typeof kid !== 'string') {
    return undefined;
  }
  try {
    const publicKey = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return { kid, publicKey, issuer: typeof issuer === 'string' ? issuer : undefined, retired: false };
  } catch {
    return undefined;
  }
}

/** The signing keys of v1 and v2 tokens, refreshed every hour and when a token names a key that is not there yet. */
export class SigningKeys {
  readonly #sets: Readonly<Record<TokenVersion, KeySet>>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param options.now milliseconds since the epoch */
  constructor(options: {
    readonly authority: Authority;
    readonly http: EntraHttpClient;
    readonly now: () => number;
    readonly log: KeyLog;
  }) {
    const { authority, ...common } = options;
    this.#sets = {
      v1: new KeySet({ ...common, url: authority.metadataUrl('v1') }),
      v2: new KeySet({ ...common, url: authority.metadataUrl('v2') }),
    };
  }

  /** False while no key can be had at all. */
  get isReady(): boolean {
    return this.#sets.v1.isLoaded || this.#sets.v2.isLoaded;
  }

  /** Fetches the keys now, again and again until there are some, and every hour from then on. */
  start(tries: readonly number[] = FIRST_TRIES): void {
    const [pause = FIRST_TRIES.at(-1) ?? REFRESH_INTERVAL, ...later] = tries;
    void this.refresh().then(() => {
      if (this.#stopped) {
        return;
      }
      const next = this.isReady ? ([FIRST_TRIES, REFRESH_INTERVAL] as const) : ([later, pause] as const);
      this.#timer = setTimeout(() => this.start(next[0]), next[1]).unref();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async refresh(): Promise<void> {
    await Promise.all([this.#sets.v1.refresh(), this.#sets.v2.refresh()]);
  }

  /**
   * The key that a token of a version names.
   *
   * @throws {GatewayError} `identity_unavailable` while there are no keys to look in, `invalid_token` for an unknown one
   */
  async find(version: TokenVersion, kid: string): Promise<SigningKey> {
    const set = this.#sets[version];
    const key = await set.find(kid);
    if (key !== undefined) {
      return key;
    }
    if (!this.isReady || (!set.isLoaded && !set.isAbsent)) {
      throw new GatewayError('identity_unavailable', { log: { reason: 'no signing keys of Entra could be had yet' } });
    }
    throw new GatewayError('invalid_token', { log: { reason: `Entra publishes no ${version} key with this kid` } });
  }

  /** The issuer that a version's tokens of a tenant must name. */
  issuerOf(version: TokenVersion, tenantId: string): string {
    return this.#sets[version].issuerOf(tenantId);
  }

  /**
   * True when Entra lets a key sign for a tenant. v1 keys are often bound to the issuer of v2, so both names of the
   * tenant count.
   *
   * @throws {GatewayError} `identity_unavailable` while one of the names is still to be learnt
   */
  mayKeySignFor(key: SigningKey, tenantId: string): boolean {
    const bound = key.issuer?.replaceAll('{tenantid}', tenantId);
    const names = [this.issuerOf('v1', tenantId), this.issuerOf('v2', tenantId)];
    const isBound = bound === undefined || (bound !== '' && names.includes(bound));
    if (!isBound && Object.values(this.#sets).some((set) => !set.isLoaded && !set.isAbsent)) {
      throw new GatewayError('identity_unavailable', { log: { reason: 'not all metadata of Entra could be had yet' } });
    }
    return isBound;
  }
}

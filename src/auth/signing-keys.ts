import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Authority, TokenVersion } from '../entra/authority.ts';
import type { EntraHttpClient, EntraResponse } from '../entra/http-client.ts';
import { isLoopback } from '../network/loopback.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import type { SigningKey } from '../session/signing-key.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../syntax/json.ts';

/** Takes what the keys cannot fix themselves. */
export interface KeyLog {
  warn(fields: object, message: string): void;
}

/** What changed about the keys that verify tokens. */
export interface KeyChange {
  /** The address of the OpenID configuration whose keys they are. */
  readonly url: string;
  /** The ids of new keys; a key that is replaced under its id is in both lists. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

interface KeySetOptions {
  readonly url: string;
  readonly http: EntraHttpClient;
  readonly monotonicMs: Clock;
  readonly log: KeyLog;
  /** Called when the keys are there for the first time, and whenever they change; default nothing. */
  readonly onChange?: ((change: KeyChange) => void) | undefined;
}

/** An unknown `kid` makes the gateway ask Entra again, but not before this time has passed. */
const COOL_DOWN_MS = 30_000;

/** While there are no keys at all, every request may try to fetch them, but not before this time has passed. */
const RETRY_PAUSE_MS = 1_000;

/** How often the keys are fetched again; Entra advises every hour. */
const REFRESH_INTERVAL_MS = 60 * 60 * 1_000;

/** The longest `kid` in the log: its text comes from outside. */
const MAX_KID_CHARACTERS = 200;

/** How many keys an error names when a set has no usable key. */
const MAX_NAMED_KEYS = 5;

/** The pauses between the first fetches, until there are keys. */
const FIRST_PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000];

/** What an operator does while callers cannot be served because of it. */
const NOT_FETCHED_REMEDY =
  'See the lines about signing keys before this one, or run obo-gateway check --only entra on this machine.';

/**
 * The issuer and the signing keys of one version of tokens. jwks-rsa cannot be used here: it drops each key's `issuer`,
 * does not remember a failure, and lets unknown `kid`s use up the rate limit of good ones.
 */
class KeySet {
  readonly #options: KeySetOptions;
  #issuer = '';
  #keys = new Map<string, SigningKey>();
  #loading: Promise<void> | undefined;
  #isAbsent = false;
  /** The unusable keys of the last load, as the log named them. */
  #unusable: ReadonlySet<string> = new Set();
  #fetchedAt: number;
  #triedAt = Number.NEGATIVE_INFINITY;
  #askedForUnknownAt = Number.NEGATIVE_INFINITY;

  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#fetchedAt = options.monotonicMs();
  }

  /** Milliseconds since the keys were fetched; since the start, as long as they never were. */
  get ageMs(): number {
    return this.#options.monotonicMs() - this.#fetchedAt;
  }

  get isLoaded(): boolean {
    return this.#keys.size > 0;
  }

  /** True when Entra said that there is no such document: External ID, for example, has none for v1. */
  get isAbsent(): boolean {
    return this.#isAbsent && !this.isLoaded;
  }

  /** The issuer of a tenant's tokens; empty while nothing is loaded. */
  issuerOf(tenantId: string): string {
    return this.#issuer.replaceAll('{tenantid}', tenantId);
  }

  /** The key with this id; asks Entra for a key that is not known, as often as {@link COOL_DOWN_MS} allows. */
  async find(kid: string): Promise<SigningKey | undefined> {
    const known = this.#keys.get(kid);
    if (known !== undefined) {
      return known;
    }
    if (this.#loading !== undefined) {
      await this.#loading;
    } else if (this.#tryBeginRefresh()) {
      await this.refresh();
    }
    return this.#keys.get(kid);
  }

  /** Asks Entra for the keys. When Entra cannot be reached or its answer is unusable, the last good set stays. */
  refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** True for the one request that may ask Entra now; starts the pause for the others. */
  #tryBeginRefresh(): boolean {
    const now = this.#options.monotonicMs();
    if (!this.isLoaded) {
      return now - this.#triedAt >= (this.isAbsent ? COOL_DOWN_MS : RETRY_PAUSE_MS);
    }
    if (now - this.#askedForUnknownAt < COOL_DOWN_MS) {
      return false;
    }
    this.#askedForUnknownAt = now;
    return true;
  }

  async #load(): Promise<void> {
    const { url, http, log, monotonicMs } = this.#options;
    this.#triedAt = monotonicMs();
    try {
      const { issuer, keys, unusable } = await fetchSigningKeys(http, url);
      this.#issuer = issuer;
      this.#replace(keys);
      this.#fetchedAt = monotonicMs();
      this.#logUnusable(unusable);
    } catch (error) {
      this.#isAbsent = error instanceof NoSuchDocument;
      log.warn(
        { url, reason: (error as Error).message, kept: this.#keys.size },
        'The signing keys of Entra could not be fetched; check that the gateway can reach this address.',
      );
    }
  }

  /** Logs each ignored key once, not every hour. */
  #logUnusable(unusable: readonly UnusableKey[]): void {
    const { url, log } = this.#options;
    const logged = this.#unusable;
    this.#unusable = new Set(unusable.map(({ kid, reason }) => `${kid} ${reason}`));
    for (const { kid, reason } of unusable.filter((key) => !logged.has(`${key.kid} ${key.reason}`))) {
      log.warn(
        { url, kid: toShown(kid), reason },
        'A signing key is ignored, and tokens signed with it are refused; if the key is not from Entra, find out what answers at this address.',
      );
    }
  }

  /** Keeps the object of each key that stays, so that the sessions it signed live on; retires the others. */
  #replace(keys: readonly SigningKey[]): void {
    const next = new Map<string, SigningKey>();
    for (const key of keys) {
      const known = this.#keys.get(key.kid);
      next.set(key.kid, known?.publicKey.equals(key.publicKey) === true && known.issuer === key.issuer ? known : key);
    }
    for (const [kid, key] of this.#keys) {
      key.retired = next.get(kid) !== key;
    }
    const added = [...next].flatMap(([kid, key]) => (this.#keys.get(kid) === key ? [] : [toShown(kid)]));
    const removed = [...this.#keys].flatMap(([kid, { retired }]) => (retired ? [toShown(kid)] : []));
    this.#keys = next;
    if (added.length > 0 || removed.length > 0) {
      this.#options.onChange?.({ url: this.#options.url, added, removed });
    }
  }
}

/** Entra answered that a document does not exist. */
export class NoSuchDocument extends Error {}

/** A key of Entra's set that must not verify tokens. */
export interface UnusableKey {
  readonly kid: string;
  readonly reason: string;
}

/** What Entra publishes for one version of tokens. */
export interface PublishedKeys {
  readonly issuer: string;
  readonly keys: readonly SigningKey[];
  readonly unusable: readonly UnusableKey[];
}

/**
 * Fetches the issuer and the keys of one version of tokens.
 *
 * @param url the address of the OpenID configuration
 * @throws {NoSuchDocument} when Entra has no such document
 * @throws {EntraUnreachable} when Entra does not answer
 * @throws {Error} when the answer is unusable
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export async function fetchSigningKeys(http: EntraHttpClient, url: string): Promise<PublishedKeys> {
  const metadata = await fetchJson(http, url, isAbsence);
  const issuer = metadata['issuer'];
  const jwksUri = metadata['jwks_uri'];
  if (typeof issuer !== 'string' || typeof jwksUri !== 'string') {
    throw new Error('the metadata has no issuer or no jwks_uri');
  }
  const { keys, unusable } = readKeys(await fetchJson(http, jwksUri));
  if (keys.length === 0) {
    throw new Error(
      ['the key set has no usable key', ...unusable.slice(0, MAX_NAMED_KEYS).map(describeUnusable)].join('; '),
    );
  }
  return { issuer, keys, unusable };
}

/** Says in a few words why a key is ignored. */
export function describeUnusable({ kid, reason }: UnusableKey): string {
  return `${toShown(kid)} is ignored: ${reason}`;
}

function toShown(kid: string): string {
  return kid.slice(0, MAX_KID_CHARACTERS);
}

/** @param isAbsent true for an answer by which Entra says that it has no such document */
async function fetchJson(
  http: EntraHttpClient,
  url: string,
  isAbsent: (response: EntraResponse) => boolean = () => false,
): Promise<JsonObject> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new Error(`${url} is not https`);
  }
  const response = await http.get(url);
  if (isAbsent(response)) {
    throw new NoSuchDocument(`${url} answered ${response.status}`);
  }
  if (response.status !== 200) {
    throw new Error(`${url} answered ${response.status}`);
  }
  const json: unknown = JSON.parse(response.text);
  if (!isJsonObject(json)) {
    throw new Error(`${url} answered no JSON object`);
  }
  return json;
}

/** The AADSTS codes for a tenant that does not exist. */
const NO_SUCH_TENANT: ReadonlySet<unknown> = new Set([90002, 900023]);

/**
 * True when Entra itself says that it has no such document: by 404, or by its own error about the tenant. Every other
 * refusal (a proxy with 403 or 407, a firewall, a captive portal) is an outage that may pass.
 */
function isAbsence({ status, text }: EntraResponse): boolean {
  return status === 404 || (status === 400 && namesNoTenant(text));
}

function namesNoTenant(text: string): boolean {
  const { error, error_codes: codes } = parseJsonObject(text) ?? {};
  return error === 'invalid_tenant' || (Array.isArray(codes) && codes.some((code) => NO_SUCH_TENANT.has(code)));
}

function readKeys(jwks: JsonObject): Pick<PublishedKeys, 'keys' | 'unusable'> {
  const entries = Array.isArray(jwks['keys']) ? (jwks['keys'] as unknown[]) : [];
  const keys: SigningKey[] = [];
  const unusable: UnusableKey[] = [];
  for (const entry of entries) {
    const read = readSigningKey(entry);
    if (read === undefined) {
      continue;
    }
    if ('reason' in read) {
      unusable.push(read);
    } else {
      keys.push(read);
    }
  }
  return { keys, unusable };
}

/** Reads an RSA key for signatures; `undefined` for any other kind of entry, which no token of Entra's can need. */
function readSigningKey(entry: unknown): SigningKey | UnusableKey | undefined {
  const jwk = isJsonObject(entry) ? entry : {};
  const { kty, kid, issuer } = jwk;
  if (kty !== 'RSA' || typeof kid !== 'string') {
    return undefined;
  }
  const publicKey = readPublicKey(jwk);
  if (publicKey === undefined) {
    return { kid, reason: 'it cannot be read' };
  }
  const reason = whyNotForTokens(jwk) ?? whyTooWeak(publicKey);
  return reason === undefined
    ? { kid, publicKey, issuer: typeof issuer === 'string' ? issuer : undefined, retired: false }
    : { kid, reason };
}

function readPublicKey(jwk: JsonObject): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/**
 * Why a key must not verify tokens by what it says of its purpose (`use`, `key_ops`, `alg`); Entra signs with RS256.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-4.2
 */
function whyNotForTokens({ use, key_ops: operations, alg }: Record<string, unknown>): string | undefined {
  if (use !== undefined && use !== 'sig') {
    return 'its use is not sig';
  }
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'its key_ops lack verify';
  }
  return alg === undefined || alg === 'RS256' ? undefined : 'its alg is not RS256';
}

/**
 * The shortest modulus for RS256.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7518#section-3.3
 */
const MIN_MODULUS_BITS = 2_048;

/**
 * The smallest public exponent, which must also be odd. With an exponent of 1, anybody can make a valid signature.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8017#section-3.1
 */
const MIN_EXPONENT = 3n;

/** Why a key is too weak to verify tokens; `undefined` when it is not. */
function whyTooWeak({ asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_MODULUS_BITS) {
    return `it has ${modulusLength} bits, and RS256 needs ${MIN_MODULUS_BITS}`;
  }
  return publicExponent < MIN_EXPONENT || publicExponent % 2n === 0n
    ? 'its exponent is even or less than 3'
    : undefined;
}

/** The signing keys of v1 and v2 tokens: fetched every hour, and when a token names a key that is not known. */
export class SigningKeys {
  readonly #sets: Readonly<Record<TokenVersion, KeySet>>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: {
    readonly authority: Authority;
    readonly http: EntraHttpClient;
    readonly monotonicMs: Clock;
    readonly log: KeyLog;
    readonly onChange?: KeySetOptions['onChange'];
  }) {
    const { authority, ...common } = options;
    this.#sets = {
      v1: new KeySet({ ...common, url: authority.metadataUrl('v1') }),
      v2: new KeySet({ ...common, url: authority.metadataUrl('v2') }),
    };
  }

  /** False until the keys of one version have been fetched. */
  get isReady(): boolean {
    return this.#sets.v1.isLoaded || this.#sets.v2.isLoaded;
  }

  /** Milliseconds since the keys were fetched; of the two versions, those that are older. */
  get ageMs(): number {
    const present = Object.values(this.#sets).filter(({ isAbsent }) => !isAbsent);
    return Math.max(0, ...present.map(({ ageMs }) => ageMs));
  }

  /** False while the keys of a version that Entra has are still missing. */
  get #isComplete(): boolean {
    return this.isReady && Object.values(this.#sets).every((set) => set.isLoaded || set.isAbsent);
  }

  /**
   * Fetches the keys now, tries again until it succeeds, and fetches them every hour from then on. When the keys of one
   * version are there and those of the other fail, the pauses are used up once; after that, the next token that needs
   * the missing keys makes the gateway ask for them.
   *
   * @param pausesMs the pauses between the first tries
   */
  start(pausesMs: readonly number[] = FIRST_PAUSES_MS): void {
    const [pauseMs = FIRST_PAUSES_MS.at(-1) ?? REFRESH_INTERVAL_MS, ...later] = pausesMs;
    void this.refresh().then(() => {
      if (this.#stopped) {
        return;
      }
      const isDone = this.#isComplete || (this.isReady && pausesMs.length === 0);
      const next = isDone ? ([FIRST_PAUSES_MS, REFRESH_INTERVAL_MS] as const) : ([later, pauseMs] as const);
      this.#timer = setTimeout(() => this.start(next[0]), next[1]).unref();
    });
  }

  /** Ends the fetching in the background. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Fetches the keys of both versions now; never rejects, because the last good keys stay. */
  async refresh(): Promise<void> {
    await Promise.all([this.#sets.v1.refresh(), this.#sets.v2.refresh()]);
  }

  /**
   * Finds the key that a token of a version names.
   *
   * @throws {GatewayError} `identity_unavailable` while there are no keys of that version, `invalid_token` for a `kid`
   *   that Entra does not publish
   */
  async find(version: TokenVersion, kid: string): Promise<SigningKey> {
    const set = this.#sets[version];
    const key = await set.find(kid);
    if (key !== undefined) {
      return key;
    }
    if (!this.isReady || (!set.isLoaded && !set.isAbsent)) {
      throw new GatewayError('identity_unavailable', {
        log: { reason: 'the signing keys of Entra have not been fetched yet', remedy: NOT_FETCHED_REMEDY },
      });
    }
    throw new GatewayError('invalid_token', { log: { reason: `Entra publishes no ${version} key with this kid` } });
  }

  /** The issuer that a version's tokens of a tenant must name. */
  issuerOf(version: TokenVersion, tenantId: string): string {
    return this.#sets[version].issuerOf(tenantId);
  }

  /**
   * True when a key may sign the tokens of a tenant: Entra binds a key to an issuer, and v1 keys are often bound to the
   * issuer of v2, so that both issuers of the tenant count.
   *
   * @throws {GatewayError} `identity_unavailable` while one of the two issuers is not known yet
   * @see https://learn.microsoft.com/entra/identity-platform/access-tokens
   */
  mayKeySignFor(key: SigningKey, tenantId: string): boolean {
    const bound = key.issuer?.replaceAll('{tenantid}', tenantId);
    const issuers = [this.issuerOf('v1', tenantId), this.issuerOf('v2', tenantId)];
    const isAllowed = bound === undefined || (bound !== '' && issuers.includes(bound));
    if (!isAllowed && Object.values(this.#sets).some((set) => !set.isLoaded && !set.isAbsent)) {
      throw new GatewayError('identity_unavailable', {
        log: { reason: 'not all metadata of Entra has been fetched yet', remedy: NOT_FETCHED_REMEDY },
      });
    }
    return isAllowed;
  }
}

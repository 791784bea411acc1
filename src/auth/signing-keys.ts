import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Authority, TokenVersion } from '../entra/authority.ts';
import type { EntraHttpClient, EntraResponse } from '../entra/http-client.ts';
import { isLoopback } from '../network/loopback.ts';
import { GatewayError } from '../failures.ts';
import type { Clock } from '../resilience/clock.ts';
import type { SigningKey } from '../session/signing-key.ts';

/** Where the keys report what they cannot fix themselves. */
export interface KeyLog {
  warn(fields: object, message: string): void;
}

interface KeySetOptions {
  readonly url: string;
  readonly http: EntraHttpClient;
  readonly monotonicMs: Clock;
  readonly log: KeyLog;
}

/** An unknown `kid` makes us ask Entra again, but not more often than this; milliseconds. */
const COOL_DOWN_MS = 30_000;

/** While there are no keys at all, every request may try, but not more often than this; milliseconds. */
const RETRY_PAUSE_MS = 1_000;

/** Entra advises to look for new keys every hour. */
const REFRESH_INTERVAL = 60 * 60 * 1_000;

/** Characters of a foreign text in the log. */
const MAX_TOLD_KID = 200;

/** Keys that are named where all of a set are of no use. */
const MAX_TOLD = 5;

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
  /** The keys that were of no use at the last load, as they were told. */
  #unusable: ReadonlySet<string> = new Set();
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
      this.#tellUnusable(unusable);
    } catch (error) {
      this.#isAbsent = error instanceof NoSuchDocument;
      log.warn(
        { url, reason: (error as Error).message, kept: this.#keys.size },
        'The signing keys of Entra could not be fetched; check that the gateway can reach this address.',
      );
    }
  }

  /** Says once, not every hour, which keys of the set count as none. */
  #tellUnusable(unusable: readonly UnusableKey[]): void {
    const { url, log } = this.#options;
    const told = this.#unusable;
    this.#unusable = new Set(unusable.map(({ kid, reason }) => `${kid} ${reason}`));
    for (const { kid, reason } of unusable.filter((key) => !told.has(`${key.kid} ${key.reason}`))) {
      log.warn(
        { url, kid: kid.slice(0, MAX_TOLD_KID), reason },
        'A signing key is ignored, and tokens signed with it are refused; if it is not of Entra, look at what answers at this address.',
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

/** A key of Entra's set that may not verify tokens. */
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
 * @throws {EntraUnreachable} when it does not answer; any other error when the answer is of no use
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
    throw new Error(['the key set has no usable key', ...unusable.slice(0, MAX_TOLD).map(describeUnusable)].join('; '));
  }
  return { issuer, keys, unusable };
}

/** Says in a few words why a key counts as none. */
export function describeUnusable({ kid, reason }: UnusableKey): string {
  return `${kid.slice(0, MAX_TOLD_KID)} is ignored: ${reason}`;
}

/** @param isAbsent tells the answers that say that Entra has no such document */
async function fetchJson(
  http: EntraHttpClient,
  url: string,
  isAbsent: (response: EntraResponse) => boolean = () => false,
): Promise<Record<string, unknown>> {
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
  if (typeof json !== 'object' || json === null) {
    throw new Error(`${url} answered no JSON object`);
  }
  return json as Record<string, unknown>;
}

/** The AADSTS codes of a tenant that does not exist. */
const NO_SUCH_TENANT: ReadonlySet<unknown> = new Set([90002, 900023]);

/**
 * Only Entra itself can say that it has no such document: by 404, or by its own error about the tenant. Whatever else
 * refuses (a proxy with 403 or 407, a firewall, a captive portal) is an outage that may pass.
 */
function isAbsence({ status, text }: EntraResponse): boolean {
  return status === 404 || (status === 400 && namesNoTenant(text));
}

function namesNoTenant(text: string): boolean {
  try {
    const { error, error_codes: codes } = JSON.parse(text) as Record<string, unknown>;
    return error === 'invalid_tenant' || (Array.isArray(codes) && codes.some((code) => NO_SUCH_TENANT.has(code)));
  } catch {
    // No JSON, or `null`: not Entra's.
    return false;
  }
}

function readKeys(jwks: Record<string, unknown>): Pick<PublishedKeys, 'keys' | 'unusable'> {
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

/** RSA keys for signatures; whatever else stands in the set is none of our business. */
function readSigningKey(entry: unknown): SigningKey | UnusableKey | undefined {
  const jwk = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
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

function readPublicKey(jwk: Record<string, unknown>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** What a key is for (RFC 7517 §4.2 to §4.4); Entra's tokens are signed with RS256. */
function whyNotForTokens({ use, key_ops: operations, alg }: Record<string, unknown>): string | undefined {
  if (use !== undefined && use !== 'sig') {
    return 'its use is not sig';
  }
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'its key_ops lack verify';
  }
  return alg === undefined || alg === 'RS256' ? undefined : 'its alg is not RS256';
}

/** Bits (RFC 7518 §3.3). */
const MIN_MODULUS = 2_048;

/** An exponent of 1 signs everything; RFC 8017 §3.1 wants an odd one from 3 on. */
const MIN_EXPONENT = 3n;

function whyTooWeak({ asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_MODULUS) {
    return `it has ${modulusLength} bits, and RS256 needs ${MIN_MODULUS}`;
  }
  return publicExponent < MIN_EXPONENT || publicExponent % 2n === 0n
    ? 'its exponent is even or less than 3'
    : undefined;
}

/** The signing keys of v1 and v2 tokens, refreshed every hour and when a token names a key that is not there yet. */
export class SigningKeys {
  readonly #sets: Readonly<Record<TokenVersion, KeySet>>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: {
    readonly authority: Authority;
    readonly http: EntraHttpClient;
    readonly monotonicMs: Clock;
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

  /** False while a version's keys are still to be had. */
  get #isComplete(): boolean {
    return this.isReady && Object.values(this.#sets).every((set) => set.isLoaded || set.isAbsent);
  }

  /**
   * Fetches the keys now, again and again until there are some, and every hour from then on. Where only one version's
   * keys can be had, the other's are tried some times, and after that with the next token that needs them.
   */
  start(tries: readonly number[] = FIRST_TRIES): void {
    const [pause = FIRST_TRIES.at(-1) ?? REFRESH_INTERVAL, ...later] = tries;
    void this.refresh().then(() => {
      if (this.#stopped) {
        return;
      }
      const isDone = this.#isComplete || (this.isReady && tries.length === 0);
      const next = isDone ? ([FIRST_TRIES, REFRESH_INTERVAL] as const) : ([later, pause] as const);
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

import {
  constants,
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPair,
  sign,
  type JsonWebKey,
  type KeyObject,
  type SigningOptions,
} from 'node:crypto';
import { promisify } from 'node:util';

const makeKeyPair = promisify(generateKeyPair);

/** The protected header of a token; `kid` and `alg` may be anything, for tokens that must be refused. */
export interface TokenHeader {
  alg?: string | undefined;
  kid?: string | undefined;
  [parameter: string]: unknown;
}

const SIGN_OPTIONS: Record<string, SigningOptions> = {
  ES256: { dsaEncoding: 'ieee-p1363' },
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
};

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The keys with which the emulator signs, and those it publishes. */
export class SigningKeys {
  #current: SigningKey;
  #published: SigningKey[];

  private constructor(first: SigningKey) {
    this.#current = first;
    this.#published = [first];
  }

  /** Makes a key ring with one RSA key. */
  static async create(): Promise<SigningKeys> {
    return new SigningKeys(await makeSigningKey());
  }

  /** Signs with a new key from now on; the old ones stay published unless `keepOld` is false. */
  async roll({ keepOld = true }: { keepOld?: boolean | undefined } = {}): Promise<void> {
    this.#current = await makeSigningKey();
    this.#published = [this.#current, ...(keepOld ? this.#published : [])];
  }

  /** The ids of the published keys, newest first. */
  publishedIds(): string[] {
    return this.#published.map(({ kid }) => kid);
  }

  /** The published keys as JWK, newest first. */
  publishedKeys(): JsonWebKey[] {
    return this.#published.map(({ kid, publicKey }) => ({
      kty: 'RSA',
      use: 'sig',
      kid,
      x5t: kid,
      ...publicKey.export({ format: 'jwk' }),
    }));
  }

  /** The published key with that id. */
  find(kid: string | undefined): KeyObject | undefined {
    return this.#published.find((key) => key.kid === kid)?.publicKey;
  }

  /** Signs any payload; the header's defaults are `typ: JWT`, `alg: RS256` and the current `kid`. */
  sign(payload: object, header: TokenHeader = {}, key: KeyObject = this.#current.privateKey): string {
    const { kid } = this.#current;
    const isV1 = 'ver' in payload && payload.ver === '1.0';
    const full = { typ: 'JWT', alg: 'RS256', kid, ...(isV1 && { x5t: kid }), ...header };
    const input = `${encode(full)}.${encode(payload)}`;
    return `${input}.${signInput(input, full.alg, key)}`;
  }
}

async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await makeKeyPair('rsa', { modulusLength: 2048 });
  const kid = createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { kid, privateKey, publicKey };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signInput(input: string, alg: string | undefined, key: KeyObject): string {
  const data = Buffer.from(input);
  if (alg === 'none') {
    return '';
  }
  if (alg === 'HS256') {
    return createHmac('sha256', macKey(key)).update(data).digest('base64url');
  }
  return sign(alg === 'RS512' ? 'sha512' : 'sha256', data, { key, ...SIGN_OPTIONS[alg ?? ''] }).toString('base64url');
}

/** The classic confusion attack uses the text of the public key as the shared secret. */
function macKey(key: KeyObject): KeyObject | string {
  if (key.type === 'secret') {
    return key;
  }
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

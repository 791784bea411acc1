import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign, type KeyObject } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLIENT_ID, ISSUER, SCOPE, TENANT_ID } from './world.ts';

/** The users of the bench: files that its programs read. */
export interface Assertions {
  /** One access token a line, each of another user. */
  readonly tokensFile: string;
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicKeyFile: string;
  /** A JSON Web Key Set. */
  readonly jwksFile: string;
  /** The first token. */
  readonly first: string;
}

const LIFETIME_SECONDS = 24 * 60 * 60;

/** Tokens are made anew while they still live this long; milliseconds. */
const MAX_REUSE_MS = 12 * 60 * 60 * 1_000;

/** Enough at once to keep every core busy. */
const BATCH = 64;

const signAsync = promisify(sign) as (algorithm: string, data: Buffer, key: KeyObject) => Promise<Buffer>;

/**
 * Makes access tokens of as many users, or takes those of an earlier run, because 100,000 signatures take a minute.
 *
 * @param folder where they are kept
 */
export async function provideAssertions(folder: string, count: number): Promise<Assertions> {
  await mkdir(folder, { recursive: true });
  const files = {
    tokensFile: join(folder, `assertions-${count}.txt`),
    publicKeyFile: join(folder, `public-key-${count}.pem`),
    jwksFile: join(folder, `jwks-${count}.json`),
  };
  if (!(await isFresh(files.tokensFile))) {
    await makeAssertions(files, count);
  }
  const text = await readFile(files.tokensFile, 'utf8');
  return { ...files, first: text.slice(0, text.indexOf('\n')) };
}

async function isFresh(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs < MAX_REUSE_MS;
  } catch {
    return false;
  }
}

async function makeAssertions(files: Omit<Assertions, 'first'>, count: number): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const kid = createHash('sha256').update(pem).digest('base64url');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256', issuer: ISSUER };
  const header = encode({ typ: 'JWT', alg: 'RS256', kid });
  const tokens: string[] = [];
  while (tokens.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - tokens.length) }, () => describeUser());
    tokens.push(...(await Promise.all(batch.map((claims) => signToken(`${header}.${encode(claims)}`, privateKey)))));
  }
  await writeFile(files.publicKeyFile, pem);
  await writeFile(files.jwksFile, JSON.stringify({ keys: [jwk] }));
  await writeFile(files.tokensFile, `${tokens.join('\n')}\n`);
}

async function signToken(input: string, key: KeyObject): Promise<string> {
  const signature = await signAsync('sha256', Buffer.from(input), key);
  return `${input}.${signature.toString('base64url')}`;
}

/** The claims of a v2 token of an ordinary user; the token has about 1.5 kB. */
function describeUser(): object {
  const now = Math.floor(Date.now() / 1_000);
  const oid = randomUUID();
  return {
    aud: CLIENT_ID,
    iss: ISSUER,
    iat: now - 60,
    nbf: now - 60,
    exp: now + LIFETIME_SECONDS,
    aio: randomBytes(84).toString('base64'),
    azp: 'c44b4083-3bb0-49c1-b47d-974e53cbdf3c',
    azpacr: '0',
    groups: [randomUUID()],
    name: 'Adele Vance',
    oid,
    preferred_username: `${oid.slice(0, 8)}@contoso.com`,
    rh: `0.${randomBytes(42).toString('base64url')}`,
    scp: SCOPE,
    sid: randomUUID(),
    sub: randomBytes(32).toString('base64url'),
    tid: TENANT_ID,
    uti: randomBytes(16).toString('base64url'),
    ver: '2.0',
    xms_cc: ['cp1'],
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

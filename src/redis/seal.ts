import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

/** What an entry is for. All of it goes into the derivations, so that nothing of it stands in Redis. */
export interface EntryContext {
  /** The gateway's own registration: another gateway's entries are foreign, also for the same assertion. */
  readonly clientId: string;
  readonly authority: string;
  readonly downstream: string;
  readonly scopes: readonly string[];
}

/** Where one token lies, where its lock lies, and how it is sealed. */
export interface SealedEntry {
  readonly tokenKey: string;
  readonly lockKey: string;
  seal(text: string): Buffer;
  /** The text; `undefined` when the value is damaged, of another version, or was sealed for another entry. */
  open(value: Buffer): string | undefined;
}

/** Changes with the derivations and with the form of what is sealed; another version's entries are not found. */
const VERSION = 1;

/** All that an onlooker can tell: that the entry is this product's. */
const PREFIX = 'obo:';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD = 1 + NONCE_BYTES + TAG_BYTES;

/**
 * Derives an entry from the assertion with HKDF-SHA256 (RFC 5869): its names from one derivation, its AES-256-GCM key
 * from another. Whoever lacks the assertion can neither find the entry of a caller nor open one; who swaps two values
 * gets nothing, because each is bound to its name.
 *
 * Costs 35 µs for a token of 1.5 kB; keeping it per session would cost memory and save less than a look-up takes.
 */
export function deriveEntry(assertion: string, context: EntryContext): SealedEntry {
  const { clientId, authority, downstream, scopes } = context;
  // Hashed, because an info of HKDF has at most 1,024 bytes in Node.
  const about = hash('sha256', JSON.stringify([clientId.toLowerCase(), authority, downstream, scopes]), 'base64url');
  const names = derive(assertion, `names ${about}`, 64);
  const key = derive(assertion, `key ${about}`, 32);
  const tokenKey = PREFIX + names.toString('base64url', 0, 32);
  const lockKey = PREFIX + names.toString('base64url', 32);
  const bound = Buffer.from(`${VERSION} ${tokenKey}`);

  return {
    tokenKey,
    lockKey,
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound);
      return Buffer.concat([
        Buffer.of(VERSION),
        nonce,
        cipher.update(text, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },
    open(value) {
      if (value.length < OVERHEAD || value[0] !== VERSION) {
        return undefined;
      }
      const nonce = value.subarray(1, 1 + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(bound)
        .setAuthTag(value.subarray(-TAG_BYTES));
      try {
        return decipher.update(value.subarray(1 + NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

function derive(assertion: string, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', assertion, `obo-gateway token cache ${VERSION}`, info, bytes));
}

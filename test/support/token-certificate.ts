import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A certificate with its key, as an operator has them in two PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

interface Issued {
  readonly pem: string;
  readonly privateKey: KeyObject;
}

/**
 * Makes a new RSA key and a certificate that it signed itself.
 *
 * @param years its validity, as `YY` of its first and last New Year
 */
export function selfSigned(name: string, years: Years = VALID): CertificateFiles {
  const { pem, privateKey } = issue(name, undefined, years);
  return { cert: pem, key: exportKey(privateKey) };
}

/** Makes a certificate of a new authority; the file holds the chain, the app's own certificate first. */
export function chained(name: string): CertificateFiles {
  const authority = issue(`authority of ${name}`);
  const { pem, privateKey } = issue(name, { name: `authority of ${name}`, key: authority.privateKey });
  return { cert: `${pem}${authority.pem}`, key: exportKey(privateKey) };
}

/** An authority that no one else knows. */
export interface TestAuthority {
  /** Its own certificate, PEM. */
  readonly ca: string;
  issue(name: string, years?: Years): CertificateFiles;
}

/** Makes a new authority. */
export function makeTestAuthority(name: string): TestAuthority {
  const authority = issue(name);
  return {
    ca: authority.pem,
    issue(subject, years = VALID) {
      const { pem, privateKey } = issue(subject, { name, key: authority.privateKey }, years);
      return { cert: pem, key: exportKey(privateKey) };
    },
  };
}

type Years = readonly [from: string, to: string];

const VALID: Years = ['25', '45'];

/** Validity of a certificate that has expired. */
export const EXPIRED: Years = ['24', '25'];

function issue(
  subject: string,
  issuer?: { readonly name: string; readonly key: KeyObject },
  [from, to]: Years = VALID,
): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const algorithm = der(0x30, [oid(SHA256_WITH_RSA), der(0x05, [])]);
  const validity = der(0x30, [time(`${from}0101000000Z`), time(`${to}0101000000Z`)]);
  const body = der(0x30, [
    der(0x02, [Buffer.from([1])]),
    algorithm,
    distinguishedName(issuer?.name ?? subject),
    validity,
    distinguishedName(subject),
    spki,
  ]);
  const signature = sign('sha256', body, issuer?.key ?? privateKey);
  const certificate = der(0x30, [body, algorithm, der(0x03, [Buffer.from([0]), signature])]);
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return { pem, privateKey };
}

const SHA256_WITH_RSA = '2a864886f70d01010b';
const COMMON_NAME = '550403';

/** One DER element: a tag, the length, and the parts. */
function der(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function oid(hex: string): Buffer {
  return der(0x06, [Buffer.from(hex, 'hex')]);
}

function time(value: string): Buffer {
  return der(0x17, [Buffer.from(value)]);
}

function distinguishedName(commonName: string): Buffer {
  return der(0x30, [der(0x31, [der(0x30, [oid(COMMON_NAME), der(0x0c, [Buffer.from(commonName)])])])]);
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

import { constants, randomUUID, sign, type KeyObject, type X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import type { Clock } from '../resilience/clock.ts';

const signAsync = promisify(sign);

/** How long a client assertion is valid; Microsoft recommends five to ten minutes. */
const LIFETIME_SECONDS = 600;

/** How long a client assertion is reused: signing takes 1 ms, three times as long as the rest of an exchange. */
const REUSE_SECONDS = 300;

/** Who an assertion is from, and the endpoint that it is for. */
interface Audience {
  readonly clientId: string;
  readonly tokenEndpoint?: string;
}

/** What {@link createAssertionSigner} signs with. */
export interface SigningCertificate {
  readonly certificate: X509Certificate;
  /** The certificate and its issuers, in PEM. */
  readonly chain: string;
  /** An RSA key. */
  readonly privateKey: KeyObject;
  readonly now?: Clock;
}

/**
 * Makes the function that signs the gateway's client assertions in the form that Entra documents: PS256, with
 * `x5t#S256` to name the certificate, and with the chain in `x5c`, so that registrations by subject name and issuer
 * work, too.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-2.2
 * @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
export function createAssertionSigner(material: SigningCertificate): (audience: Audience) => Promise<string> {
  const { certificate, chain, privateKey, now = Date.now } = material;
  const header = encode({
    alg: 'PS256',
    typ: 'JWT',
    'x5t#S256': Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    x5c: readChain(chain),
  });
  const signed = new Map<string, { readonly assertion: Promise<string>; readonly at: number }>();

  return ({ clientId, tokenEndpoint = '' }) => {
    const at = Math.floor(now() / 1_000);
    const known = signed.get(tokenEndpoint);
    // An assertion from before the clock was set back is not valid yet.
    if (known !== undefined && at >= known.at && at - known.at < REUSE_SECONDS) {
      return known.assertion;
    }
    const payload = { aud: tokenEndpoint, iss: clientId, sub: clientId, jti: randomUUID() };
    const assertion = signJwt({ ...payload, nbf: at, iat: at, exp: at + LIFETIME_SECONDS });
    signed.set(tokenEndpoint, { assertion, at });
    return assertion;
  };

  async function signJwt(payload: object): Promise<string> {
    const text = `${header}.${encode(payload)}`;
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    const signature = await signAsync('sha256', Buffer.from(text), { key: privateKey, ...padding });
    return `${text}.${signature.toString('base64url')}`;
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function readChain(chain: string): string[] {
  const certificates = chain.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...certificates].map(([, base64 = '']) => base64.replaceAll(/\s/g, ''));
}

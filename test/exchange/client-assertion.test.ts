import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeJwt, jwtVerify } from 'jose';
import { createAssertionSigner } from '../../src/exchange/client-assertion.ts';
import { chained, selfSigned } from '../support/token-certificate.ts';
import { Clock } from '../support/token-clock.ts';

const { cert, key } = selfSigned('gateway');
const AUDIENCE = { clientId: 'me', tokenEndpoint: 'https://login.example/t/oauth2/v2.0/token' };

/** A signer with a clock of its own. */
function newSigner(chain = cert): { sign: ReturnType<typeof createAssertionSigner>; clock: Clock } {
  const clock = new Clock();
  const material = { certificate: new X509Certificate(cert), chain, privateKey: createPrivateKey(key), now: clock.now };
  return { sign: createAssertionSigner(material), clock };
}

describe('a client assertion', () => {
  it('is signed with PS256 by the key of the certificate, for ten minutes', async () => {
    const { sign, clock } = newSigner();
    const { payload, protectedHeader } = await jwtVerify(await sign(AUDIENCE), createPublicKey(cert));
    expect(protectedHeader.alg).toBe('PS256');
    expect(payload).toEqual({
      aud: AUDIENCE.tokenEndpoint,
      iss: 'me',
      sub: 'me',
      jti: expect.any(String),
      nbf: clock.seconds,
      iat: clock.seconds,
      exp: clock.seconds + 600,
    });
  });

  it.each([
    ['of Windows', (pem: string): string => pem.replaceAll('\n', '\r\n')],
    ['at its end missing', (pem: string): string => pem.trim()],
  ])('has the whole chain, also with the line break %s', async (_what, change) => {
    const chain = chained('gateway').cert;
    const token = await newSigner(change(chain)).sign(AUDIENCE);
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { x5c: string[] };
    const subjects = header.x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')).fingerprint256);
    expect(new Set(subjects).size).toBe(2);
  });

  it.each([
    { seconds: 0, signed: 1 },
    { seconds: 299, signed: 1 },
    { seconds: 300, signed: 2 },
  ])('is reused, or replaced, after $seconds seconds: $signed are signed in all', async ({ seconds, signed }) => {
    const { sign, clock } = newSigner();
    const first = await sign(AUDIENCE);
    clock.advance(seconds * 1_000);
    expect(new Set([first, await sign(AUDIENCE)]).size).toBe(signed);
  });

  it('is signed anew after the clock was set back, because the first one is not valid yet', async () => {
    const { sign, clock } = newSigner();
    const first = await sign(AUDIENCE);
    clock.setBy(-3_600_000);
    const second = await sign(AUDIENCE);
    expect([second === first, decodeJwt(second).nbf]).toEqual([false, clock.seconds]);
  });

  it('is signed for each tenant', async () => {
    const { sign } = newSigner();
    const others = ['https://login.example/a', 'https://login.example/b'];
    const tokens = await Promise.all(others.map((tokenEndpoint) => sign({ ...AUDIENCE, tokenEndpoint })));
    expect(tokens.map((token) => decodeJwt(token).aud)).toEqual(others);
  });
});

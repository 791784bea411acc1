import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { describeCertificate, findApp } from '../../dev/emulator/world-model.ts';
import {
  GATEWAY_CLIENT_ID,
  GATEWAY_CLIENT_SECRET,
  HOME_TENANT_ID,
  ORDERS_APP_ID,
  PARTNER_TENANT_ID,
} from '../../dev/emulator/world.ts';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { createCredentialSource, type CredentialSource } from '../../src/exchange/client-credential.ts';
import type { OnBehalfOfRequest } from '../../src/exchange/entra-token-client.ts';
import { ExchangeRefused } from '../../src/exchange/exchange-refused.ts';
import { chained, selfSigned, type CertificateFiles } from '../support/token-certificate.ts';
import { openDesk, type Desk } from '../support/token-exchange.ts';

const emulator = await startEmulator();
/** The audience of federated tokens, which secrets and certificates do not need. */
const TOKEN_EXCHANGE = 'api://AzureADTokenExchange';

const folder = mkdtempSync(join(tmpdir(), 'credential-'));
const desks: Desk[] = [];
const { client } = deskFor(emulator.origin);
afterAll(async () => {
  for (const desk of desks) {
    desk.close();
  }
  rmSync(folder, { recursive: true });
  await emulator.close();
});

/** A desk that is closed at the end. */
function deskFor(origin: string, credential?: CredentialSource): Desk {
  const desk = openDesk({ origin, ...(credential === undefined ? {} : { credential }) });
  desks.push(desk);
  return desk;
}

/** A request for Adele at Graph, with changes. */
function onBehalfOf(changes: Partial<OnBehalfOfRequest> = {}): OnBehalfOfRequest {
  return {
    assertion: emulator.issueAccessToken({ user: 'adele' }),
    tenantId: HOME_TENANT_ID,
    scopes: ['https://graph.microsoft.com/User.Read'],
    claims: '',
    handlesClaims: false,
    correlationId: randomUUID(),
    ...changes,
  };
}

describe('an exchange on behalf of a user', () => {
  it('brings a token of the downstream for the same user, and tells when it expires', async () => {
    const request = onBehalfOf();
    const { accessToken, expiresAt } = await client.onBehalfOf(request);
    const claims = decodeJwt(accessToken);
    expect(claims).toMatchObject({ aud: 'https://graph.microsoft.com', oid: decodeJwt(request.assertion)['oid'] });
    expect(Math.abs(expiresAt - (claims.exp ?? 0) * 1_000)).toBeLessThan(60_000);
  });

  it('sends Entra the form of an on-behalf-of request, with the very assertion', async () => {
    const bodies: string[] = [];
    const entra = await listenOnLoopback({}, () => async (req, res) => {
      bodies.push(await text(req));
      res.end(JSON.stringify({ token_type: 'Bearer', access_token: 'opaque', expires_in: 3600 }));
    });
    const request = onBehalfOf({ scopes: ['api://a/b', 'api://a/c'] });
    const { accessToken } = await deskFor(entra.origin).client.onBehalfOf(request);
    await entra.close();
    const form = Object.fromEntries(new URLSearchParams(bodies[0]));
    expect([accessToken, bodies.length, form]).toEqual([
      'opaque',
      1,
      expect.objectContaining({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        requested_token_use: 'on_behalf_of',
        client_id: GATEWAY_CLIENT_ID,
        client_secret: GATEWAY_CLIENT_SECRET,
        assertion: request.assertion,
        scope: expect.stringMatching(/^api:\/\/a\/b api:\/\/a\/c\b/),
      }),
    ]);
    expect(form).not.toHaveProperty('resource');
  });

  it.each([
    { whose: 'the gateway', tenant: 'contoso.com', expected: HOME_TENANT_ID },
    { whose: 'a guest in his own', tenant: 'fabrikam.com', expected: PARTNER_TENANT_ID },
  ])('goes to the tenant of the assertion: that of $whose', async ({ tenant, expected }) => {
    const assertion = emulator.issueAccessToken({ user: 'guest', tenant });
    const { accessToken } = await client.onBehalfOf(onBehalfOf({ assertion, tenantId: expected }));
    expect([emulator.exchanges.at(-1)?.tenant, decodeJwt(accessToken)['tid']]).toEqual([expected, expected]);
  });

  it('costs one request and no discovery', async () => {
    const before = emulator.requests.length;
    await client.onBehalfOf(onBehalfOf());
    expect(emulator.requests.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST /${HOME_TENANT_ID}/oauth2/v2.0/token`,
    ]);
  });

  it('asks Entra anew each time, also for the same assertion', async () => {
    const request = onBehalfOf();
    const before = emulator.exchanges.length;
    const [first, second] = [await client.onBehalfOf(request), await client.onBehalfOf(request)];
    expect([emulator.exchanges.length - before, first.accessToken === second.accessToken]).toEqual([2, false]);
  });
});

describe('the id of a request at Entra', () => {
  it.each([
    {
      what: 'an exchange',
      send: ({ client: atEntra }: Desk, correlationId: string) => atEntra.onBehalfOf(onBehalfOf({ correlationId })),
    },
    {
      what: 'a request for the gateway itself',
      send: ({ client: atEntra }: Desk, correlationId: string) =>
        atEntra.asApplication({ tenantId: HOME_TENANT_ID, scope: 'api://orders/.default', correlationId }),
    },
  ])('is in the address and in the body of $what', async ({ send }) => {
    const ids: unknown[] = [];
    const entra = await listenOnLoopback({}, () => async (req, res) => {
      ids.push(new URL(req.url ?? '', 'http://localhost').searchParams.get('client-request-id'));
      ids.push(new URLSearchParams(await text(req)).get('client-request-id'));
      res.end(JSON.stringify({ token_type: 'Bearer', access_token: 'opaque', expires_in: 3600 }));
    });
    const id = randomUUID();
    await send(deskFor(entra.origin), id);
    await entra.close();
    expect(ids).toEqual([id, id]);
  });

  it('comes with a refusal, unless Entra was not asked at all', async () => {
    const id = randomUUID();
    const request = onBehalfOf({ correlationId: id, assertion: 'of nobody' });
    const unusable = deskFor(emulator.origin, () => Promise.reject(new Error('no credential')));
    const refusals = [client, unusable.client].map((atEntra) => atEntra.onBehalfOf(request).catch((error) => error));
    expect(await Promise.all(refusals)).toEqual([
      expect.objectContaining({ name: 'ExchangeRefused', correlationId: id }),
      expect.objectContaining({ name: 'ExchangeRefused', correlationId: undefined }),
    ]);
  });
});

describe('the claims of an exchange', () => {
  const nbf = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';

  it.each([
    { when: 'nobody asks for anything', handlesClaims: false, claims: '', expected: undefined },
    {
      when: 'the caller declared cp1',
      handlesClaims: true,
      claims: '',
      expected: { xms_cc: { values: ['cp1'] } },
    },
    {
      when: 'a downstream asks for some',
      handlesClaims: false,
      claims: nbf,
      expected: { nbf: { essential: true, value: '1' } },
    },
    {
      when: 'a downstream asks and the caller declared cp1',
      handlesClaims: true,
      claims: nbf,
      expected: { nbf: { essential: true, value: '1' }, xms_cc: { values: ['cp1'] } },
    },
  ])('are $expected when $when', async ({ handlesClaims, claims, expected }) => {
    await client.onBehalfOf(onBehalfOf({ handlesClaims, claims }));
    const sent = emulator.exchanges.at(-1)?.claims;
    const request = sent === undefined ? undefined : (JSON.parse(sent) as Record<string, unknown>);
    expect(request?.['access_token']).toEqual(expected);
  });
});

describe('a token for the gateway itself', () => {
  it('is asked for with client credentials at the default scope', async () => {
    const { accessToken } = await client.asApplication({
      tenantId: HOME_TENANT_ID,
      scope: 'api://orders/.default',
      correlationId: randomUUID(),
    });
    expect(emulator.exchanges.at(-1)).toMatchObject({
      grantType: 'client_credentials',
      tenant: HOME_TENANT_ID,
      credential: 'secret',
      claims: undefined,
      form: { scope: expect.stringMatching(/^api:\/\/orders\/\.default\b/) },
    });
    expect(decodeJwt(accessToken)).toMatchObject({ aud: ORDERS_APP_ID, roles: ['Orders.Read.All'] });
  });
});

describe('the credential', () => {
  let files = 0;

  /** Writes the files as an operator has them, and registers the certificate at Entra. */
  function register({ cert, key }: CertificateFiles): CredentialSource {
    files += 1;
    const paths = { cert: join(folder, `${files}.pem`), key: join(folder, `${files}.key`) };
    writeFileSync(paths.cert, cert);
    writeFileSync(paths.key, key);
    findApp(emulator.world, 'gateway')?.certificates.push(describeCertificate(cert));
    return createCredentialSource({ certificate: paths }, TOKEN_EXCHANGE);
  }

  it('may be a secret', async () => {
    const desk = deskFor(emulator.origin, createCredentialSource({ secret: GATEWAY_CLIENT_SECRET }, TOKEN_EXCHANGE));
    await desk.client.onBehalfOf(onBehalfOf());
    expect(emulator.exchanges.at(-1)).toMatchObject({ credential: 'secret', status: 200 });
  });

  it.each([
    ['a certificate', selfSigned('gateway'), 1],
    ['a certificate with its chain', chained('gateway'), 2],
  ])('may be %s, that signs in the form Entra documents', async (_what, certificate, chainLength) => {
    const { client: withCertificate } = deskFor(emulator.origin, register(certificate));
    await withCertificate.onBehalfOf(onBehalfOf());
    const exchange = emulator.exchanges.at(-1);
    expect(exchange).toMatchObject({
      credential: 'certificate',
      status: 200,
      clientAssertion: {
        header: { alg: 'PS256', typ: 'JWT', 'x5t#S256': describeCertificate(certificate.cert).thumbprintSha256 },
        payload: {
          iss: GATEWAY_CLIENT_ID,
          sub: GATEWAY_CLIENT_ID,
          aud: `${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/token`,
        },
      },
    });
    expect(exchange?.clientAssertion?.header['x5c']).toHaveLength(chainLength);
  });

  it('by certificate works for apps as well, and signs once for several exchanges', async () => {
    const { client: withCertificate } = deskFor(emulator.origin, register(selfSigned('gateway')));
    const request = { tenantId: HOME_TENANT_ID, scope: 'api://orders/.default', correlationId: randomUUID() };
    const ids = [];
    for (let time = 0; time < 2; time += 1) {
      await withCertificate.asApplication(request);
      ids.push(emulator.exchanges.at(-1)?.clientAssertion?.payload['jti']);
    }
    expect([new Set(ids).size, ids[0]]).toEqual([1, expect.any(String)]);
  });

  it.each([
    ['is wrong', 'wrong', 'AADSTS7000215'],
    ['is missing', '', 'msal'],
  ])('that %s is reported as misconfigured', async (_how, secret, hint) => {
    const refused = await deskFor(emulator.origin, createCredentialSource({ secret }, TOKEN_EXCHANGE))
      .client.onBehalfOf(onBehalfOf())
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ExchangeRefused);
    const { refusal } = refused as ExchangeRefused;
    expect([refusal.class, `${refusal.codes.map((code) => `AADSTS${code}`).join()} ${refusal.error}`]).toEqual([
      'misconfigured',
      expect.stringContaining(hint),
    ]);
  });
});

describe('an answer that only looks like a success', () => {
  const good = { token_type: 'Bearer', access_token: 'opaque', expires_in: 3600 };

  it.each([
    ['200 without a token', 200, {}],
    ['200 with an empty token', 200, { ...good, access_token: '' }],
    ['200 with a token that is no text', 200, { ...good, access_token: { a: 1 } }],
    ['200 with a token that would break the header', 200, { ...good, access_token: 'a\r\nx-evil: 1' }],
    ['200 with two words as the token', 200, { ...good, access_token: 'a b' }],
    ['502 with a token', 502, good],
    ['400 with a token', 400, good],
    ['201 with a token', 201, good],
    ['302 with a token', 302, good],
  ])('gives no token: %s', async (_what, status, body) => {
    emulator.switches.body = { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const refused = await client.onBehalfOf(onBehalfOf()).catch((error: unknown) => error);
    emulator.resetSwitches();
    expect(refused).toMatchObject({ name: 'ExchangeRefused', refusal: { class: 'retry', status } });
  });

  it('is a success, though it lacks the members that only the cache of MSAL needs', async () => {
    emulator.switches.body = { status: 200, headers: {}, body: JSON.stringify(good) };
    const { accessToken } = await client.onBehalfOf(onBehalfOf());
    emulator.resetSwitches();
    expect(accessToken).toBe('opaque');
  });
});

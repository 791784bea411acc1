import { afterAll, describe, expect, it } from '@jest/globals';
import { DESKTOP_CLIENT_ID, GATEWAY_CLIENT_ID, HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { Authority } from '../../src/entra/authority.ts';
import { Clock } from '../support/token-clock.ts';
import { startGate, type Gate } from '../support/token-gate.ts';
import {
  json,
  makeIssuerKey,
  signText,
  startTokenIssuer,
  type IssuerKey,
  type TokenIssuer,
} from '../support/token-issuer.ts';

const TENANT = HOME_TENANT_ID;

describe('the addresses of a cloud', () => {
  const graph = 'https://graph.microsoft.com';
  const us = { suffix: 'USGov', graph: 'https://graph.microsoft.us' };
  const china = { suffix: 'China', graph: 'https://microsoftgraph.chinacloudapi.cn' };
  const clouds = [
    { cloud: 'public', host: 'login.microsoftonline.com', suffix: '', graph },
    { cloud: 'public by an older name', host: 'login.windows.net', suffix: '', graph },
    { cloud: 'US Government', host: 'login.microsoftonline.us', ...us },
    { cloud: 'US Government by an older name', host: 'login.usgovcloudapi.net', ...us },
    { cloud: 'China', host: 'login.partner.microsoftonline.cn', ...china },
    { cloud: 'China by an older name', host: 'login.chinacloudapi.cn', ...china },
    { cloud: 'France', host: 'login.sovcloud-identity.fr', suffix: 'France', graph: 'https://graph.svc.sovcloud.fr' },
    { cloud: 'Germany', host: 'login.sovcloud-identity.de', suffix: 'Germany', graph: 'https://graph.svc.sovcloud.de' },
    { cloud: 'Singapore', host: 'login.sovcloud-identity.sg', suffix: '', graph: 'https://graph.svc.sovcloud.sg' },
    {
      cloud: 'External ID',
      host: 'contoso.ciamlogin.com',
      common: TENANT,
      issuer: `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
      suffix: '',
      graph,
    },
    {
      cloud: 'External ID behind a domain of a customer',
      host: 'login.contoso.com',
      common: TENANT,
      suffix: '',
      graph,
    },
    {
      cloud: 'a host that only ends like Entra’s',
      host: 'notlogin.microsoftonline.com',
      common: TENANT,
      suffix: '',
      graph,
    },
  ];

  it.each(clouds)('$cloud: $host', ({ host, common = 'common', issuer, suffix, graph: ownGraph }) => {
    const origin = `https://${host}`;
    const authority = new Authority(origin, TENANT);
    expect({
      v1: authority.metadataUrl('v1'),
      v2: authority.metadataUrl('v2'),
      token: authority.tokenEndpoint(PARTNER_TENANT_ID),
      consent: authority.adminConsentEndpoint(PARTNER_TENANT_ID),
      challenge: authority.challengeUri(''),
      issuer: authority.nameIssuer(''),
      audience: authority.tokenExchangeAudience,
      scopes: ['User.Read', '.default'].map((scope) => authority.qualifyScope(scope)),
      resource: authority.resourceOf('User.Read'),
    }).toEqual({
      v1: `${origin}/${TENANT}/.well-known/openid-configuration`,
      v2: `${origin}/${TENANT}/v2.0/.well-known/openid-configuration`,
      token: `${origin}/${PARTNER_TENANT_ID}/oauth2/v2.0/token`,
      consent: `${origin}/${PARTNER_TENANT_ID}/v2.0/adminconsent`,
      challenge: `${origin}/${common}/oauth2/v2.0/authorize`,
      issuer: issuer ?? `${origin}/${TENANT}/v2.0`,
      audience: `api://AzureADTokenExchange${suffix}`,
      scopes: [`${ownGraph}/User.Read`, `${ownGraph}/.default`],
      resource: ownGraph,
    });
  });

  it.each(['http://localhost:8081', 'http://127.0.0.1:8081', 'http://[::1]:8081'])(
    'an emulator at %s counts as the public cloud',
    (origin) => {
      expect(new Authority(origin, TENANT).challengeUri('')).toBe(`${origin}/common/oauth2/v2.0/authorize`);
    },
  );

  it.each([
    [`https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`, TENANT],
    [`http://localhost:8081/${TENANT}/v2.0`, 'common'],
    ['https://ciamlogin.com.example.com/v2.0', 'common'],
  ])('an emulator whose metadata names the issuer %s sends users to the sign-in page of %s', (published, segment) => {
    const origin = 'http://localhost:8081';
    const authority = new Authority(origin, TENANT);
    expect(authority.challengeUri(published)).toBe(`${origin}/${segment}/oauth2/v2.0/authorize`);
  });

  it.each([
    'https://graph.microsoft.com/User.Read',
    'api://orders/.default',
    '00000003-0000-0000-c000-000000000000/User.Read',
    'openid',
    'profile',
    'email',
    'offline_access',
  ])('the scope %s stays as it is', (scope) => {
    expect(new Authority('https://login.microsoftonline.us', TENANT).qualifyScope(scope)).toBe(scope);
  });

  it.each([
    [`https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`, true],
    ['http://localhost:8081/tenant/v2.0', true],
    ['', false],
    ['contoso', false],
    ['http://contoso.com/v2.0', false],
    ['javascript:alert(1)', false],
    ['javascript://localhost/x', false],
    ['https://login.microsoftonline.com/{tenantid}/v2.0', false],
    ['https://login.contoso.com/v2.0?x=1', false],
    ['https://login.contoso.com/v2.0#x', false],
  ])('the issuer %j that the metadata names is believed: %s', (published, isTaken) => {
    const origin = 'https://login.contoso.com';
    expect(new Authority(origin, TENANT).nameIssuer(published)).toBe(isTaken ? published : `${origin}/${TENANT}/v2.0`);
  });

  it.each([
    ['a host that only ends like the US Government’s', 'https://notlogin.microsoftonline.us'],
    ['a host that only begins like China’s', 'https://login.chinacloudapi.cn.example.com'],
    ['an emulator', 'http://localhost:8080'],
  ])('%s gets no audience of another cloud', (_what, origin) => {
    expect(new Authority(origin, TENANT).tokenExchangeAudience).toBe('api://AzureADTokenExchange');
  });

  it.each([
    ['https://contoso.ciamlogin.com', true],
    ['https://login.microsoftonline.com', false],
    ['https://ciamlogin.com.example.com', false],
    ['https://notciamlogin.com', false],
  ])('%s is External ID: %s', (origin, isExternalId) => {
    expect(new Authority(origin, TENANT).isExternalId).toBe(isExternalId);
  });

  it('of a gateway for many tenants are those of organizations, and a token is exchanged in its own tenant', () => {
    const authority = new Authority('https://login.microsoftonline.us', 'organizations');
    expect([authority.metadataUrl('v2'), authority.tokenEndpoint(TENANT)]).toEqual([
      'https://login.microsoftonline.us/organizations/v2.0/.well-known/openid-configuration',
      `https://login.microsoftonline.us/${TENANT}/oauth2/v2.0/token`,
    ]);
  });
});

type Version = 'v1' | 'v2';

/** What Entra publishes in one cloud: issuers for a tenant, on hosts that nobody can reach from here. */
interface Cloud {
  readonly cloud: string;
  readonly v2: string;
  /** Missing where there are no v1 tokens. */
  readonly v1?: string;
  /** The issuer that its keys are bound to. */
  readonly keyIssuer?: string;
}

const CLOUDS: readonly Cloud[] = [
  {
    cloud: 'public',
    v2: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    v1: `https://sts.windows.net/${TENANT}/`,
    keyIssuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
  },
  {
    cloud: 'US Government',
    v2: `https://login.microsoftonline.us/${TENANT}/v2.0`,
    v1: `https://sts.windows.net/${TENANT}/`,
    keyIssuer: 'https://login.microsoftonline.us/{tenantid}/v2.0',
  },
  {
    cloud: 'US Government with its own v1 issuer',
    v2: `https://login.microsoftonline.us/${TENANT}/v2.0`,
    v1: `https://login.microsoftonline.us/${TENANT}/`,
  },
  {
    cloud: 'China',
    v2: `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`,
    v1: `https://sts.chinacloudapi.cn/${TENANT}/`,
    keyIssuer: `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`,
  },
  {
    cloud: 'External ID',
    v2: `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
    keyIssuer: `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
  },
];

const clock = new Clock();
const firstKey = makeIssuerKey();
const rolledKey = makeIssuerKey();

/** The published form of a key, bound to an issuer when the cloud does so. */
function publish({ jwk }: IssuerKey, { keyIssuer }: Cloud): IssuerKey['jwk'] {
  return keyIssuer === undefined ? jwk : { ...jwk, issuer: keyIssuer };
}

/** A gate that has fetched the keys from a metadata server that publishes what a cloud does. */
async function openCloud(cloud: Cloud): Promise<{ readonly issuer: TokenIssuer; readonly gate: Gate }> {
  const issuer = await startTokenIssuer([publish(firstKey, cloud)]);
  const jwksUri = `${issuer.origin}/keys`;
  issuer.publications.v2 = json({ issuer: cloud.v2, jwks_uri: jwksUri });
  issuer.publications.v1 =
    cloud.v1 === undefined ? { status: 404, body: 'not found' } : json({ issuer: cloud.v1, jwks_uri: jwksUri });
  const gate = await startGate({ origin: issuer.origin, clock });
  opened.push({ issuer, gate });
  await gate.keys.refresh();
  return { issuer, gate };
}

const opened: { readonly issuer: TokenIssuer; readonly gate: Gate }[] = [];
afterAll(() => Promise.all(opened.flatMap(({ issuer, gate }) => [gate.close(), issuer.close()])));

/** A well-signed token of an issuer. */
function tokenOf(iss: string | undefined, version: Version, key = firstKey): string {
  const client = version === 'v1' ? { appid: DESKTOP_CLIENT_ID } : { azp: DESKTOP_CLIENT_ID };
  const claims = {
    iss,
    ver: version === 'v1' ? '1.0' : '2.0',
    aud: version === 'v1' ? `api://${GATEWAY_CLIENT_ID}` : GATEWAY_CLIENT_ID,
    tid: TENANT,
    oid: 'f0000000-0000-4000-8000-000000000001',
    sub: 'pairwise',
    scp: 'Orders.Read',
    nbf: clock.seconds - 10,
    iat: clock.seconds - 10,
    exp: clock.seconds + 3_600,
    ...client,
  };
  return signText(JSON.stringify(claims), key);
}

const REFUSED = { code: 'invalid_token' };

describe.each(CLOUDS)('tokens of the cloud $cloud', (cloud) => {
  const versions = (['v1', 'v2'] as const).filter((version) => cloud[version] !== undefined);

  it.each(versions)('of version %s are accepted though their issuer is on another host', async (version) => {
    const { gate } = await openCloud(cloud);
    const token = tokenOf(cloud[version], version);
    const { session } = await gate.call(token);
    expect([session === undefined, gate.sessions.find(token)]).toEqual([false, session]);
  });

  it('are refused with any other issuer', async () => {
    const { gate, issuer } = await openCloud(cloud);
    const strangers = [
      `${issuer.origin}/${TENANT}/v2.0`,
      `${cloud.v2}/`,
      `${cloud.v2.replace(/\/v2\.0$/, '')}/`,
      'https://login.microsoftonline.de/x/v2.0',
    ];
    const tokens = strangers.map((iss) => tokenOf(iss, 'v2'));
    expect(await Promise.all(tokens.map((token) => gate.call(token)))).toEqual(strangers.map(() => REFUSED));
  });

  it('are refused when they name the issuer of the other version', async () => {
    const { gate } = await openCloud(cloud);
    expect(await gate.call(tokenOf(cloud.v2, 'v1'))).toEqual(REFUSED);
    expect(await gate.call(tokenOf(cloud.v1 ?? 'https://sts.windows.net/', 'v2'))).toEqual(REFUSED);
  });

  it('are refused when their key is bound to the issuer of another cloud', async () => {
    const { gate, issuer } = await openCloud(cloud);
    const bound = { ...firstKey.jwk, issuer: 'https://login.microsoftonline.de/{tenantid}/v2.0' };
    issuer.publications.keys = json({ keys: [bound] });
    await gate.keys.refresh();
    expect(await gate.call(tokenOf(cloud.v2, 'v2'))).toEqual(REFUSED);
  });

  it.each(versions)(
    'of version %s are refused after the key that signed them is gone, and those of the new key are accepted',
    async (version) => {
      const { gate, issuer } = await openCloud(cloud);
      const old = tokenOf(cloud[version], version);
      const before = await gate.call(old);
      issuer.publications.keys = json({ keys: [publish(rolledKey, cloud)] });
      const rolled = tokenOf(cloud[version], version, rolledKey);
      await gate.keys.refresh();
      const after = await gate.call(old);
      const fresh = await gate.call(rolled);
      const sessions = [gate.sessions.find(old), gate.sessions.find(rolled)];
      expect([before.session === undefined, after, fresh.session === undefined]).toEqual([false, REFUSED, false]);
      expect(sessions).toEqual([undefined, fresh.session]);
    },
  );

  it('signed by a key that came later are accepted without a restart or a refresh', async () => {
    const { gate, issuer } = await openCloud(cloud);
    const old = tokenOf(cloud.v2, 'v2');
    const before = await gate.call(old);
    issuer.publications.keys = json({ keys: [publish(firstKey, cloud), publish(rolledKey, cloud)] });
    const fresh = await gate.call(tokenOf(cloud.v2, 'v2', rolledKey));
    const again = await gate.call(old);
    expect([fresh.session === undefined, again.session === before.session]).toEqual([false, true]);
  });
});

describe('External ID', () => {
  const [cloud] = CLOUDS.filter(({ v1 }) => v1 === undefined) as [Cloud];

  it('is ready without a document for v1, and a v1 token is refused as invalid instead of as an outage', async () => {
    const { gate } = await openCloud(cloud);
    const verdict = await gate.call(tokenOf(`https://sts.windows.net/${TENANT}/`, 'v1'));
    expect([gate.keys.isReady, verdict]).toEqual([true, REFUSED]);
  });

  it('issues no tokens under the name of its host', async () => {
    const { gate } = await openCloud(cloud);
    expect(await gate.call(tokenOf(`https://contoso.ciamlogin.com/${TENANT}/v2.0`, 'v2'))).toEqual(REFUSED);
  });
});

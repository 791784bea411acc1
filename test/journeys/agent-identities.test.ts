import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { MAIL_AGENT_ID, ORDERS_AGENT_ID } from '../../dev/emulator/demo-agents.ts';
import { describeCertificate, findApp } from '../../dev/emulator/world-model.ts';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { claimsOf } from '../dev/token-requests.ts';
import { gatewayContract, scope } from '../support/gateway-contract.ts';
import { answerChallenge, answerInTurn, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { readClaims, readProblem, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { selfSigned } from '../support/token-certificate.ts';

/** The usual contract, and a path of the downstream that has no agent. */
const contract = [
  {
    document: {
      ...gatewayContract,
      paths: {
        ...gatewayContract.paths,
        '/plain': {
          get: {
            security: [{ user: [scope('Profile.Read')] }],
            'x-downstream': { service: 'hasty' },
            responses: { default: { description: 'Any.' } },
          },
        },
      },
    },
  },
];
const agents = { api: MAIL_AGENT_ID, orders: ORDERS_AGENT_ID };
/** Nothing here is about times. */
const timeout = { response: '30s', idle: '30s' };

const NBF = '{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}';
const challenge = `Bearer error="insufficient_claims", claims="${Buffer.from(NBF).toString('base64')}"`;

const world = await startGatewayWorld({ agents, contract, timeout });
afterAll(() => world.close());
beforeEach(() => {
  world.emulator.resetSwitches();
  world.emulator.exchanges.length = 0;
  world.downstream.reset();
});

/** Plays with a world of its own, in which no assertion of an agent has been asked for yet. */
async function play(
  options: Parameters<typeof startGatewayWorld>[0],
  act: (own: GatewayWorld) => Promise<void>,
): Promise<void> {
  const own = await startGatewayWorld({ agents, contract, timeout, ...options });
  try {
    await act(own);
  } finally {
    await own.close();
  }
}

/** The claims of the tokens that the downstream got, oldest first. */
function downstreamClaims({ downstream }: GatewayWorld): Record<string, unknown>[] {
  return downstream.requests.map(({ rawHeaders }) =>
    claimsOf(valuesOf(rawHeaders, 'authorization')[0]?.replace('Bearer ', '')),
  );
}

/** What was asked of Entra: who asked, for which agent, how it proved itself. */
function askedOf({ emulator }: GatewayWorld): unknown[] {
  return emulator.exchanges.map(({ clientId, grantType, form, credential }) => [
    clientId,
    grantType?.split(':').at(-1),
    form['fmi_path'],
    credential,
  ]);
}

const daemonOf = ({ emulator }: GatewayWorld): string => emulator.issueAccessToken({ app: 'daemon' });

describe('a downstream that is called as an agent identity', () => {
  it('gets a token of the user whose actor is the agent, and whose parent is the gateway', async () => {
    await play({}, async (own) => {
      const token = own.token('adele');
      expect((await own.call('/me', { token })).status).toBe(200);
      expect(askedOf(own)).toEqual([
        [GATEWAY_CLIENT_ID, 'client_credentials', MAIL_AGENT_ID, 'secret'],
        [MAIL_AGENT_ID, 'jwt-bearer', undefined, 'federated'],
      ]);
      expect(own.emulator.exchanges[0]?.scope).toContain('api://AzureADTokenExchange/.default');
      expect(downstreamClaims(own)).toEqual([
        expect.objectContaining({
          aud: 'https://graph.microsoft.com',
          appid: MAIL_AGENT_ID,
          oid: claimsOf(token)['oid'],
          idtyp: 'user',
          xms_act_fct: expect.stringContaining('11'),
          xms_par_app_azp: GATEWAY_CLIENT_ID,
        }),
      ]);
    });
  });

  it('gets a token of the agent itself when an app calls', async () => {
    await play({}, async (own) => {
      expect((await own.call('/orders', { token: daemonOf(own) })).status).toBe(200);
      expect(askedOf(own)).toEqual([
        [GATEWAY_CLIENT_ID, 'client_credentials', ORDERS_AGENT_ID, 'secret'],
        [ORDERS_AGENT_ID, 'client_credentials', undefined, 'federated'],
      ]);
      expect(downstreamClaims(own)).toEqual([
        expect.objectContaining({ azp: ORDERS_AGENT_ID, oid: ORDERS_AGENT_ID, roles: ['Orders.Read.All'] }),
      ]);
    });
  });

  it('gets those of its own agent, beside others with another one or none', async () => {
    const token = world.token('adele');
    for (const path of ['/me', '/orders', '/plain', '/me', '/orders', '/plain']) {
      await world.call(path, { token });
    }
    const actors = downstreamClaims(world).map(({ azp, appid }) => azp ?? appid);
    const each = [MAIL_AGENT_ID, ORDERS_AGENT_ID, GATEWAY_CLIENT_ID];
    expect(actors).toEqual([...each, ...each]);
  });

  it('is told in the audit by its agent', async () => {
    await world.call('/me', { token: world.token('adele') });
    await world.call('/plain', { token: world.token('adele') });
    const made = world.log.lines.filter(({ event }) => event === 'exchange.made').slice(-2);
    expect(made.map(({ downstream, agent }) => [downstream, agent])).toEqual([
      ['api', MAIL_AGENT_ID],
      ['hasty', undefined],
    ]);
  });
});

describe('the client assertion of an agent', () => {
  it('costs one request for two hundred callers at once, and each of them one exchange', async () => {
    await play({}, async (own) => {
      const tokens = Array.from({ length: 200 }, () => own.token('adele'));
      const responses = await Promise.all(tokens.map((token) => own.call('/me', { token })));
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
      const assertions = own.emulator.exchanges.filter(({ form }) => form['fmi_path'] !== undefined);
      expect([assertions.length, own.emulator.exchanges.length]).toEqual([1, 201]);
    });
  });

  it('serves users and apps, and is renewed only when it nears its end', async () => {
    await play({}, async (own) => {
      const countAssertions = (): number =>
        own.emulator.exchanges.filter(({ form }) => form['fmi_path'] === ORDERS_AGENT_ID).length;
      await own.call('/orders', { token: own.token('adele') });
      await own.call('/orders', { token: daemonOf(own) });
      own.advance(50 * 60_000);
      await own.call('/orders', { token: own.token('guest') });
      expect(countAssertions()).toBe(1);
      own.advance(6 * 60_000);
      await own.call('/orders', { token: own.token('guest') });
      expect(countAssertions()).toBe(2);
    });
  });

  it('serves on while Entra gives no other, until it ends', async () => {
    await play({}, async (own) => {
      await own.call('/me', { token: own.token('adele') });
      own.advance(56 * 60_000);
      own.emulator.switches.secretExpired = true;
      const refused = await own.call('/me', { token: own.token('adele') });
      Object.assign(own.emulator.switches, { secretExpired: false, entra: 'throttled', retryAfter: '30' });
      expect([refused.status, own.emulator.exchanges.at(-1)?.form['fmi_path']]).toEqual([500, MAIL_AGENT_ID]);
      own.advance(2_000);
      await own.call('/me', { token: own.token('adele') });
      own.emulator.switches.entra = 'up';
      expect((await own.call('/me', { token: own.token('adele') })).status).toBe(200);
      expect(own.emulator.exchanges.at(-1)?.clientId).toBe(MAIL_AGENT_ID);
    });
  });

  it.each([
    { how: 'a certificate', kind: 'certificate' },
    { how: 'a federated token', kind: 'federated' },
  ])('is asked for with $how of the blueprint', async ({ kind }) => {
    const folder = await mkdtemp(join(tmpdir(), 'blueprint-'));
    const { cert, key } = selfSigned('blueprint');
    const issuer = 'https://cluster.contoso.com';
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const federated = await new SignJWT({ iss: issuer, sub: 'pod', aud: 'api://AzureADTokenExchange' })
      .setProtectedHeader({ alg: 'RS256' })
      .setExpirationTime('10 minutes')
      .sign(pair.privateKey);
    const files = { cert, key, token: federated };
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
    const credential =
      kind === 'certificate'
        ? { certificate: { cert: join(folder, 'cert'), key: join(folder, 'key') } }
        : { federatedTokenFile: join(folder, 'token') };
    await play({ identity: { credential } }, async (own) => {
      const registration = findApp(own.emulator.world, 'gateway');
      registration?.certificates.push(describeCertificate(cert));
      const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
      registration?.federatedCredentials.push({ issuer, subject: 'pod', publicKey });
      expect((await own.call('/me', { token: own.token('adele') })).status).toBe(200);
      expect(askedOf(own)).toEqual([
        [GATEWAY_CLIENT_ID, 'client_credentials', MAIL_AGENT_ID, kind],
        [MAIL_AGENT_ID, 'jwt-bearer', undefined, 'federated'],
      ]);
    });
    await rm(folder, { recursive: true });
  });
});

describe('a failure to get an agent’s client assertion is the gateway’s own', () => {
  it('when the credential of the blueprint is refused: 500, not ready, and the log says why', async () => {
    await play({}, async (own) => {
      own.emulator.switches.secretExpired = true;
      const responses = [
        await own.call('/me', { token: own.token('adele') }),
        await own.call('/orders', { token: daemonOf(own) }),
      ];
      const problems = await Promise.all(responses.map((response) => readProblem(response)));
      expect(problems.map(({ code }) => code)).toEqual(['gateway_misconfigured', 'gateway_misconfigured']);
      expect((await fetch(`${own.managementUrl}/readyz`)).status).toBe(503);
      expect(await own.log.of(responses[0]?.headers.get('x-request-id') ?? '')).toMatchObject({
        agent: MAIL_AGENT_ID,
        entra: { class: 'misconfigured', codes: ['AADSTS7000222'] },
        remedy: expect.stringContaining('downstreams.api.agent'),
      });
    });
  });

  it.each([700016, 700213, 7000112])(
    'when that is refused with %d, which can be about the agent: 500, and ready',
    async (code) => {
      await play({}, async (own) => {
        own.emulator.switches.refuse = { error: 'invalid_client', error_codes: [code], status: 401 };
        const { status } = await own.call('/me', { token: own.token('adele') });
        expect([status, (await fetch(`${own.managementUrl}/readyz`)).status]).toEqual([500, 200]);
      });
    },
  );

  it('when Entra asks the blueprint for claims: no user is sent to give them', async () => {
    await play({}, async (own) => {
      own.emulator.switches.refuse = {
        error: 'invalid_grant',
        error_codes: [53003],
        claims: '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}',
      };
      const response = await own.call('/me', { token: own.token('adele') });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([500, null]);
      expect(own.emulator.exchanges).toHaveLength(1);
    });
  });

  it('when Entra throttles: 503 for all, after one request, for as long as Entra said', async () => {
    await play({}, async (own) => {
      Object.assign(own.emulator.switches, { entra: 'throttled', retryAfter: '30' });
      const responses = await Promise.all(
        Array.from({ length: 20 }, () => own.call('/me', { token: own.token('adele') })),
      );
      own.emulator.switches.entra = 'up';
      responses.push(await own.call('/me', { token: own.token('adele') }));
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([503]));
      expect(own.emulator.exchanges).toHaveLength(1);
      // The failure is one, though it met many: a downstream without that agent is served.
      expect((await own.call('/plain', { token: own.token('adele') })).status).toBe(200);
      own.advance(31_000);
      expect((await own.call('/me', { token: own.token('adele') })).status).toBe(200);
    });
  });
});

describe('an agent identity that Entra does not accept', () => {
  it.each([
    { what: 'is disabled', agent: { blueprint: GATEWAY_CLIENT_ID, isEnabled: false } },
    { what: 'is of another blueprint', agent: { blueprint: '0b9c1f62-3d4e-4f5a-8b6c-7d8e9f0a1b2c', isEnabled: true } },
    { what: 'is no agent', agent: undefined },
  ])('because it $what: 500 for its downstream alone, and the gateway stays ready', async ({ agent }) => {
    await play({}, async (own) => {
      Object.assign(findApp(own.emulator.world, MAIL_AGENT_ID) ?? {}, { agent });
      const response = await own.call('/me', { token: own.token('adele') });
      expect([response.status, (await readProblem(response)).code]).toEqual([500, 'gateway_misconfigured']);
      expect(await own.log.of(response.headers.get('x-request-id'))).toMatchObject({
        agent: MAIL_AGENT_ID,
        remedy: expect.stringContaining('downstreams.api.agent'),
      });
      expect((await own.call('/orders', { token: own.token('adele') })).status).toBe(200);
      expect((await fetch(`${own.managementUrl}/readyz`)).status).toBe(200);
    });
  });

  it('a blueprint that Entra gives no tokens without an agent: the log says what is missing', async () => {
    await play({}, async (own) => {
      Object.assign(findApp(own.emulator.world, 'gateway')?.blueprint ?? {}, { getsOwnTokens: false });
      const plain = await own.call('/plain', { token: own.token('adele') });
      expect([plain.status, (await own.call('/me', { token: own.token('adele') })).status]).toEqual([500, 200]);
      expect(await own.log.of(plain.headers.get('x-request-id'))).toMatchObject({
        entra: { codes: ['AADSTS82002'], meaning: expect.stringContaining('downstreams.*.agent') },
      });
    });
  });
});

describe('what Entra or the downstream asks of a user goes on as ever', () => {
  it('claims of a policy', async () => {
    const response = await world.call('/me', { token: world.token('megan') });
    expect([response.status, readClaims(response)]).toEqual([401, expect.stringContaining('capolids')]);
  });

  it('claims of the downstream are met by a second exchange of the agent', async () => {
    const token = world.token('adele');
    world.downstream.answer = answerInTurn(answerChallenge(challenge), answerPlainly);
    expect((await world.call('/me', { token })).status).toBe(200);
    const exchanges = world.emulator.exchanges.filter(({ grantType }) => grantType !== 'client_credentials');
    expect(exchanges.map(({ clientId, claims }) => [clientId, claims?.includes('nbf') ?? false])).toEqual([
      [MAIL_AGENT_ID, false],
      [MAIL_AGENT_ID, true],
    ]);
  });

  it('or become the user’s challenge', async () => {
    world.downstream.answer = answerChallenge(challenge);
    const response = await world.call('/me', { token: world.token('adele') });
    expect([response.status, readClaims(response)]).toEqual([401, NBF]);
  });

  it('consent, without an address: an agent inherits it, nobody can give it to the agent itself', async () => {
    const response = await world.call('/me', { token: world.token('newcomer') });
    const problem = await readProblem(response);
    expect([problem.code, problem.scopes, problem.consentUri]).toEqual([
      'consent_required',
      ['https://graph.microsoft.com/User.Read'],
      undefined,
    ]);
    expect(await world.log.of(response.headers.get('x-request-id'))).toMatchObject({
      remedy: expect.stringContaining('blueprint'),
    });
  });
});

describe('what is asked of an agent that acts for itself is 403, because nobody can step up for it', () => {
  it('by the downstream, once a token with the claims did not help', async () => {
    world.downstream.answer = answerChallenge(challenge);
    // Two new tokens are tried in a minute; then the one that is held is rejected once for each call.
    for (const sent of [2, 2, 1]) {
      world.downstream.requests.length = 0;
      const response = await world.call('/orders', { token: daemonOf(world) });
      expect([response.status, response.headers.get('www-authenticate'), world.downstream.requests.length]).toEqual([
        403,
        null,
        sent,
      ]);
      expect((await readProblem(response)).code).toBe('access_denied');
    }
  });

  it.each([
    { error_codes: [53003], claims: '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}' },
    { error_codes: [53003], suberror: 'message_only' },
  ])('by Entra: $error_codes', async (refusal) => {
    await play({}, async (own) => {
      await own.call('/orders', { token: own.token('adele') });
      own.emulator.switches.refuse = { error: 'invalid_grant', ...refusal };
      const response = await own.call('/orders', { token: daemonOf(own) });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([403, null]);
      expect(await own.log.of(response.headers.get('x-request-id'))).toMatchObject({
        code: 'access_denied',
        agent: ORDERS_AGENT_ID,
        remedy: expect.stringContaining('Conditional Access'),
      });
    });
  });

  it('a token that is rejected without claims stays the operator’s: 502', async () => {
    await play({}, async (own) => {
      own.downstream.answer = answerChallenge('Bearer error="invalid_token"');
      expect((await own.call('/orders', { token: daemonOf(own) })).status).toBe(502);
    });
  });
});

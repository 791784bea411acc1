import { describe, expect, it } from '@jest/globals';
import { findApp } from '../../dev/emulator/world-model.ts';
import { readProblem, startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';

const WRONG_SECRET = 'not-the-secret-of-the-gateway';

/** Plays with a world whose gateway has a credential of its own. */
async function withCredential(credential: object, play: (world: GatewayWorld) => Promise<void>): Promise<void> {
  const world = await startGatewayWorld({ identity: { credential } });
  world.stopClocks();
  try {
    await play(world);
  } finally {
    await world.close();
  }
}

/** A world whose app registration accepts the credential after all. */
function fixRegistration({ emulator }: GatewayWorld): void {
  findApp(emulator.world, 'gateway')?.secrets.push(WRONG_SECRET);
}

function callMe(world: GatewayWorld, user = 'adele'): Promise<Response> {
  return world.call('/me', { token: world.token(user) });
}

/** What `/readyz` says: its status and the reason. */
async function readiness({ managementUrl }: GatewayWorld): Promise<[number, string | undefined]> {
  const response = await fetch(`${managementUrl}/readyz`);
  const { reason } = (await response.json()) as { readonly reason?: string };
  return [response.status, reason];
}

const NOT_ACCEPTED = [503, 'Entra does not accept the credential of the gateway'];
const READY = [200, undefined];

describe('a wrong secret', () => {
  it('is none of the caller’s business: 500 without a word of Entra', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      const response = await callMe(world);
      const problem = await readProblem(response);
      expect([response.status, problem.code, response.headers.has('www-authenticate')]).toEqual([
        500,
        'gateway_misconfigured',
        false,
      ]);
      const said = JSON.stringify([problem, ...response.headers]);
      expect(said).not.toMatch(/AADSTS|7000215|invalid_client|secret/i);
      expect(said).not.toContain(world.emulator.origin);
    });
  });

  it('is told to the operator: the code, what it means and the remedy, at error, without the secret', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      const response = await callMe(world);
      const line = await world.log.of(response.headers.get('x-request-id'));
      expect(line).toMatchObject({
        level: 'error',
        code: 'gateway_misconfigured',
        entra: {
          class: 'misconfigured',
          error: 'invalid_client',
          codes: ['AADSTS7000215'],
          meaning: expect.stringContaining('secret is wrong'),
        },
        remedy: expect.stringContaining('gateway.yaml'),
      });
      expect(world.log.text).not.toContain(WRONG_SECRET);
    });
  });

  it('takes the gateway out of service for 30 seconds, with a reason that names no secret', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      const seen = [await readiness(world)];
      await callMe(world);
      seen.push(await readiness(world));
      world.advance(29_000);
      seen.push(await readiness(world));
      world.advance(1_000);
      seen.push(await readiness(world));
      await callMe(world);
      seen.push(await readiness(world));
      expect(seen).toEqual([READY, NOT_ACCEPTED, NOT_ACCEPTED, READY, NOT_ACCEPTED]);
    });
  });

  it('that is fixed brings the gateway back with the first exchange that works', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      await callMe(world);
      const before = await readiness(world);
      fixRegistration(world);
      const { status } = await callMe(world);
      expect([before, status, await readiness(world)]).toEqual([NOT_ACCEPTED, 200, READY]);
    });
  });

  it('that is fixed brings the gateway back also when the next user is refused', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      await callMe(world);
      fixRegistration(world);
      const { status } = await callMe(world, 'newcomer');
      expect([status, await readiness(world)]).toEqual([403, READY]);
    });
  });

  it('is not forgotten because Entra is throttled in between', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      await callMe(world);
      world.emulator.switches.entra = 'throttled';
      const { status } = await callMe(world);
      expect([status, await readiness(world)]).toEqual([503, NOT_ACCEPTED]);
    });
  });

  it('leaves operations without a token exchange alone', async () => {
    await withCredential({ secret: WRONG_SECRET }, async (world) => {
      await callMe(world);
      expect((await world.call('/open')).status).toBe(200);
    });
  });
});

describe('a refusal that is not about the credential leaves the gateway in service', () => {
  const refusals = [
    { what: 'the user must prove more', error: 'interaction_required', code: 50076, status: 401 },
    { what: 'the user must sign in again', error: 'invalid_grant', code: 50173, status: 401 },
    { what: 'nobody consented', error: 'invalid_grant', code: 65001, status: 403 },
    { what: 'the user is not assigned', error: 'invalid_grant', code: 50105, status: 403 },
    { what: 'a scope of one downstream is wrong', error: 'invalid_scope', code: 70011, status: 500 },
    { what: 'Entra is not available', error: 'temporarily_unavailable', code: 90033, status: 503 },
  ];

  it('whatever it says', async () => {
    const world = await startGatewayWorld();
    const seen: unknown[] = [];
    for (const { what, error, code } of refusals) {
      world.emulator.switches.refuse = { error, error_codes: [code] };
      const { status } = await callMe(world);
      seen.push([what, status, await readiness(world)]);
    }
    await world.close();
    expect(seen).toEqual(refusals.map(({ what, status }) => [what, status, READY]));
  });
});

describe('a federated token file that is missing', () => {
  it('is told by its key in the log and by the readiness, and to the caller not at all', async () => {
    await withCredential({ federatedTokenFile: './missing-token' }, async (world) => {
      const fault = 'identity.credential.federatedTokenFile cannot be read (ENOENT)';
      const response = await callMe(world);
      const problem = await readProblem(response);
      const line = await world.log.of(response.headers.get('x-request-id'));
      expect([response.status, problem.code, line['level']]).toEqual([500, 'gateway_misconfigured', 'error']);
      expect(line).toMatchObject({ entra: { error: fault }, remedy: expect.stringContaining('gateway.yaml') });
      expect(JSON.stringify(problem)).not.toMatch(/federated|ENOENT|missing-token/);
      expect(await readiness(world)).toEqual([503, `the credential of the gateway cannot be used: ${fault}`]);
    });
  });
});

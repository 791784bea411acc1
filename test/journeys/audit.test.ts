import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { answerChallenge, answerInTurn } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';

type Line = Record<string, unknown>;

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
const file = join(folder, 'audit.log');
const world = await startGatewayWorld({ log: { level: 'error', requests: 'errors', audit: file } });
const { emulator, downstream } = world;
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  emulator.resetSwitches();
  downstream.reset();
});

let issued = Math.floor(Date.now() / 1_000) - 1_000;

/** A token that is newer than all before. */
function newerToken(user: string): string {
  issued += 1;
  return world.token(user, { claims: { iat: issued } });
}

function readAudit(): Line[] {
  const text = readFileSync(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** The audit lines from a call on, as soon as there are so many. */
async function auditOf(calls: () => Promise<unknown>, count: number): Promise<Line[]> {
  const before = readAudit().length;
  await calls();
  await until('the audit log has its lines', () => readAudit().length >= before + count);
  return readAudit().slice(before);
}

function payOut(): Promise<Response> {
  return world.call('/payouts', { method: 'POST', token: newerToken('adele'), body: '{}' });
}

const ADELE = { tid: expect.any(String), oid: expect.any(String), azp: expect.any(String) };

describe('the audit log', () => {
  it('begins with the keys that the gateway trusts', async () => {
    await until('both sets are told', () => readAudit().length >= 2);
    const [kid] = emulator.publishedKeyIds();
    expect(readAudit().slice(0, 2)).toEqual([
      expect.objectContaining({ event: 'keys.changed', level: 'info', added: [kid], removed: [] }),
      expect.objectContaining({ event: 'keys.changed', level: 'info', added: [kid], removed: [] }),
    ]);
  });

  it('has every token that Entra gave, and no request that went well', async () => {
    const token = world.token('adele');
    const calls = async (): Promise<void> => {
      await world.call('/me', { token });
      await world.call('/me', { token });
    };
    expect(await auditOf(calls, 1)).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        event: 'exchange.made',
        downstream: 'api',
        caller: 'user',
        ...ADELE,
        correlationId: emulator.exchanges.at(-1)?.form['client-request-id'],
        ms: expect.any(Number),
        msg: 'Entra gave a downstream token',
      },
    ]);
  });

  it('has what Entra said instead, and the challenge that the user got', async () => {
    const lines = await auditOf(() => world.call('/me', { token: world.token('newcomer') }), 2);
    expect(lines).toMatchObject([
      { event: 'exchange.refused', downstream: 'api', entra: { class: 'consent', codes: ['AADSTS65001'] } },
      { event: 'challenge.sent', code: 'consent_required', scopes: expect.any(Array), clientAddress: '127.0.0.1' },
    ]);
    expect(lines[0]?.['correlationId']).toBe(lines[1]?.['correlationId']);
  });

  it('has a token that is refused, with what its verified part says', async () => {
    const token = world.token('adele', { claims: { aud: 'api://other' } });
    expect(await auditOf(() => world.call('/me?secret=query', { token }), 1)).toMatchObject([
      { event: 'token.refused', code: 'invalid_token', aud: 'api://other', ...ADELE, userAgent: 'node' },
    ]);
  });

  it('has the context that a challenge asks for, and the loop that it became', async () => {
    const lines = await auditOf(async () => [await payOut(), await payOut(), await payOut()], 3);
    expect(lines).toMatchObject([
      { event: 'challenge.sent', authContext: 'c1', ...ADELE },
      { event: 'challenge.sent', authContext: 'c1' },
      { event: 'stepup.loop', code: 'step_up_unsatisfiable' },
    ]);
    expect(lines.every(({ claims }) => claims === undefined)).toBe(true);
  });

  it('has the claims that a downstream asks for', async () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
    const challenge = answerChallenge(
      `Bearer error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`,
    );
    downstream.answer = answerInTurn(challenge, challenge);
    const lines = await auditOf(() => world.call('/me', { token: newerToken('adele') }), 3);
    expect(lines).toMatchObject([
      { event: 'exchange.made' },
      { event: 'exchange.made' },
      { event: 'challenge.sent', code: 'insufficient_claims', claims },
    ]);
  });

  it('has no token and no query', () => {
    expect(readFileSync(file, 'utf8')).not.toMatch(/eyJ|secret=/);
  });

  it('has what the log leaves out by its level', () => {
    expect(world.log.lines).toEqual([]);
  });
});

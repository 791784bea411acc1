import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { readChallenge, readClaims, readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const strict = await startGatewayWorld({ identity: { requireClientCapability: true } });
const lenient = await startGatewayWorld();
afterAll(() => Promise.all([strict.close(), lenient.close()]));
afterEach(() => strict.emulator.resetSwitches());

const CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["a"]}}}';

describe('a claims challenge is due', () => {
  it.each([
    { declared: 'cp1', xms_cc: ['cp1'] },
    { declared: 'CP1, in capitals', xms_cc: ['CP1'] },
    { declared: 'cp1 beside others', xms_cc: ['other', 'cp1'] },
    { declared: 'cp1, as a text', xms_cc: 'cp1' },
  ])('a client that declared $declared gets it', async ({ xms_cc }) => {
    strict.emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50076], claims: CLAIMS };
    const response = await strict.call('/me', { token: strict.token('adele', { claims: { xms_cc } }) });
    expect([response.status, readClaims(response)]).toEqual([401, CLAIMS]);
  });

  it.each([
    { declared: 'nothing', xms_cc: undefined },
    { declared: 'something else', xms_cc: ['cp2'] },
  ])('a client that declared $declared is told that it cannot take one, without a challenge', async ({ xms_cc }) => {
    strict.emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50076], claims: CLAIMS };
    const response = await strict.call('/me', { token: strict.token('adele', { claims: { xms_cc } }) });
    const { code, claims } = await readProblem(response);
    expect([response.status, code, claims, response.headers.get('www-authenticate')]).toEqual([
      403,
      'client_not_capable',
      undefined,
      null,
    ]);
  });

  it('also for the authentication context that the contract asks for', async () => {
    const response = await strict.call('/payouts', { method: 'POST', token: strict.token('adele'), body: '{}' });
    expect([response.status, (await readProblem(response)).code]).toEqual([403, 'client_not_capable']);
  });

  it('a refusal without claims needs no capability', async () => {
    strict.emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50076], suberror: 'basic_action' };
    const response = await strict.call('/me', { token: strict.token('adele') });
    expect([response.status, new Map(readChallenge(response)).get('error')]).toEqual([401, 'invalid_token']);
  });

  it('by default every client gets it', async () => {
    const response = await lenient.call('/payouts', { method: 'POST', token: lenient.token('adele'), body: '{}' });
    expect(response.status).toBe(401);
  });
});

describe('the exchange', () => {
  it.each([
    { declared: ['cp1'], sent: { xms_cc: { values: ['cp1'] } } },
    { declared: undefined, sent: undefined },
  ])('declares to Entra what the caller declared: $declared', async ({ declared, sent }) => {
    await lenient.call('/me', { token: lenient.token('adele', { claims: { xms_cc: declared } }) });
    const claims = lenient.emulator.exchanges.at(-1)?.claims;
    expect(claims === undefined ? undefined : JSON.parse(claims).access_token).toEqual(sent);
  });
});

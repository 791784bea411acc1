import { afterAll, describe, expect, it } from '@jest/globals';
import { reportBackupReadiness } from '../../src/check/report-backup-readiness.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { rowOf, startCheckWorld, type Changes } from './check-world.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

async function report(changes?: Changes) {
  return reportBackupReadiness(await loadConfig(await world.writeConfig(changes), {}));
}

describe('the readiness for backup authentication', () => {
  it.each([
    ['https://login.microsoftonline.com', 'ok', 'Azure Commercial'],
    ['https://login.microsoftonline.us', 'ok', 'Azure Government'],
    ['https://login.partner.microsoftonline.cn', 'warn', 'not among the supported hosts'],
    ['https://contoso.ciamlogin.com', 'warn', 'not among the supported hosts'],
    ['https://login.windows.net', 'warn', 'not among the supported hosts'],
  ])('at %s is %s', async (authority, status, found) => {
    expect(rowOf(await report({ identity: { authority } }), 'backup authentication: host')).toMatchObject({
      status,
      found: expect.stringContaining(found),
    });
  });

  it.each(['scopes of graph', 'passwords', 'UserInfo'])('is given by how the gateway is made: %s', async (subject) => {
    expect(rowOf(await report(), `backup authentication: ${subject}`)).toMatchObject({ status: 'ok' });
  });

  it.each([
    [{ managedIdentity: { clientId: 'x' } }, 'ok', 'managed identity'],
    [{ federatedTokenFile: './token' }, 'warn', 'federatedTokenFile'],
    [{ secret: 's' }, 'warn', 'secret'],
  ])('of the credential %j is %s', async (credential, status, found) => {
    expect(rowOf(await report({ identity: { credential } }), 'backup authentication: credential')).toMatchObject({
      status,
      found: expect.stringContaining(found),
    });
  });

  it('says what is not covered and what the caches bridge, whatever else is well', async () => {
    expect(rowOf(await report(), 'backup authentication: coverage')).toMatchObject({
      status: 'warn',
      found: expect.stringMatching(/on-behalf-of.*NOT covered/),
      reason: expect.stringMatching(/downstream token, until that token expires, and at most until the assertion/),
      remedy: expect.any(String),
    });
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toPrincipal, type Principal } from '../../src/session/principal.ts';
import { Session } from '../../src/session/session.ts';

const { publicKey } = generateKeyPairSync('ed25519');

const ADELE = {
  tid: 'home',
  oid: 'adele',
  azp: 'client',
  scp: 'Orders.Read Orders.Write',
  iat: 1_790_000_000,
  xms_cc: ['cp1'],
};

const APP = { tid: 'home', oid: 'daemon', azp: 'client', roles: ['Orders.Read.All'], idtyp: 'app' };

function openSession(principal: Principal): Session {
  return new Session({
    rules: { clockTolerance: 60_000 },
    principal,
    assertionExpSeconds: 1_790_003_600,
    signingKey: { kid: 'k', publicKey, issuer: undefined, retired: false },
  });
}

describe('a session', () => {
  it('has its own principal, however little that differs from the principals of others', () => {
    const claims: readonly Record<string, unknown>[] = [
      ADELE,
      { ...ADELE, tid: 'other' },
      { ...ADELE, oid: 'alex' },
      { ...ADELE, oid: undefined },
      { ...ADELE, azp: 'other' },
      { ...ADELE, azp: 'undefined' },
      { ...ADELE, azp: 'null' },
      { ...ADELE, azp: undefined },
      { ...ADELE, scp: 'Orders.Read' },
      { ...ADELE, scp: 'Orders.Write Orders.Read' },
      { ...ADELE, scp: 'Orders.Read,Orders.Write' },
      { ...ADELE, scp: 'Orders.Read","Orders.Write' },
      { ...ADELE, roles: ['Orders.Read'] },
      { ...ADELE, roles: ['Orders.Read', 'Orders.Write'] },
      { ...ADELE, acrs: ['c1'] },
      { ...ADELE, acrs: ['c1', 'c2'] },
      { ...ADELE, iat: 1_790_000_001 },
      { ...ADELE, iat: undefined },
      { ...ADELE, xms_cc: [] },
      { ...ADELE, cnf: { kid: 'k' } },
      APP,
      { ...APP, scp: undefined, roles: ['Orders.Write.All'] },
      { ...APP, cnf: { kid: 'k' } },
    ];
    const principals = claims.map((one) => toPrincipal(one));
    const sessions = principals.map((principal) => openSession(principal));
    expect(sessions.map(({ principal }) => principal)).toEqual(principals);
    expect(sessions.map(({ principal }) => Object.keys(principal))).toEqual(principals.map((one) => Object.keys(one)));
  });

  it('ends later than its assertion by the tolerance of its rules', () => {
    const { assertionExpiresAt, expiresAt } = openSession(toPrincipal(ADELE));
    expect([assertionExpiresAt, expiresAt]).toEqual([1_790_003_600_000, 1_790_003_660_000]);
  });
});

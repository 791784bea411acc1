import { writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EXPIRED, makeTestAuthority, selfSigned, type CertificateFiles } from '../support/token-certificate.ts';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

const authority = makeTestAuthority('front');
const good = selfSigned('api.contoso.com');

async function rowsWith({ cert, key }: CertificateFiles, clientCa: string = authority.ca, days = 0) {
  const tls = { cert: world.pathOf('tls.pem'), key: world.pathOf('tls.key'), clientCa: world.pathOf('front.pem') };
  await Promise.all([writeFile(tls.cert, cert), writeFile(tls.key, key), writeFile(tls.clientCa, clientCa)]);
  const now = days === 0 ? undefined : { now: () => Date.UTC(2045, 0, 1) - days * 24 * 60 * 60 * 1_000 };
  return world.rowsOf({ server: { tls } }, { only: new Set(['ports']), offline: true, ...now });
}

const KEY = { key: 'server.tls.cert' };
const CA_KEY = { key: 'server.tls.clientCa' };

describe('the certificate of the listener', () => {
  it.each<[string, CertificateFiles, object]>([
    ['is well', good, { status: 'ok', found: 'valid until 2045-01-01' }],
    ['has expired', selfSigned('api.contoso.com', EXPIRED), { status: 'fail', found: 'expired on 2025-01-01', ...KEY }],
    ['is for later', selfSigned('a', ['44', '45']), { status: 'fail', found: 'valid only from 2044-01-01 on', ...KEY }],
  ])('%s', async (_what, pair, row) => {
    expect(rowOf(await rowsWith(pair), 'server.tls: certificate')).toMatchObject(row);
  });

  it.each([
    [31, 'ok'],
    [29, 'warn'],
  ])('with %d days left is told as %s', async (days, status) => {
    expect(rowOf(await rowsWith(good, authority.ca, days), 'server.tls: certificate')).toMatchObject({ status });
  });

  it.each<[string, CertificateFiles, object]>([
    ['of server.publicUrl', good, { status: 'ok' }],
    ['of another host', selfSigned('gateway.internal'), { status: 'warn', ...KEY }],
  ])('may be one %s', async (_what, pair, row) => {
    expect(rowOf(await rowsWith(pair), 'server.tls: name')).toMatchObject(row);
  });
});

describe('the authorities of its clients', () => {
  it.each<[string, string, object]>([
    ['are well', authority.ca, { status: 'ok', found: 'valid until 2045-01-01' }],
    ['have expired', selfSigned('front', EXPIRED).cert, { status: 'fail', ...CA_KEY }],
    [
      'are none',
      authority.issue('client').cert,
      { status: 'fail', found: 'not the certificate of an authority', ...CA_KEY },
    ],
  ])('%s', async (_what, ca, row) => {
    expect(rowOf(await rowsWith(good, ca), 'server.tls: client authority')).toMatchObject(row);
  });
});

it('a deployment without TLS has no row about it', async () => {
  const rows = await world.rowsOf({}, { only: new Set(['ports']), offline: true });
  expect(rows.filter(({ check }) => check.startsWith('server.tls'))).toEqual([]);
});

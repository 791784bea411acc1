import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { HOME_TENANT_ID, PARTNER_TENANT_ID } from '../../dev/emulator/world.ts';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { checkEntra } from '../../src/check/check-entra.ts';
import { Authority } from '../../src/entra/authority.ts';
import { EntraHttpClient, type EntraResponse } from '../../src/entra/http-client.ts';
import { makeIssuerKey, startTokenIssuer } from '../support/token-issuer.ts';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterEach(() => world.emulator.resetSwitches());
afterAll(() => world.close());

const V1 = 'Entra: v1 metadata and keys';
const V2 = 'Entra: v2 metadata and keys';

/** Sends every request to the emulator, whatever host it names. */
class Detour extends EntraHttpClient {
  override get(url: string): Promise<EntraResponse> {
    const { pathname } = new URL(url);
    const isV1 = !pathname.includes('/v2.0');
    return isV1
      ? Promise.resolve({ status: 404, headers: {}, text: '' })
      : super.get(`${world.emulator.origin}${pathname}`);
  }
}

describe('the metadata and keys of Entra', () => {
  it('are told with their issuers and the number of keys', async () => {
    const rows = await world.rowsOf();
    const count = world.emulator.publishedKeyIds().length;
    const keys = `${count} ${count === 1 ? 'key' : 'keys'}`;
    expect(rowOf(rows, V2)).toEqual({
      status: 'ok',
      check: V2,
      found: `issuer ${world.emulator.origin}/${HOME_TENANT_ID}/v2.0, ${keys}`,
    });
    expect(rowOf(rows, V1)).toEqual({
      status: 'ok',
      check: V1,
      found: `issuer ${world.emulator.origin}/v1/${HOME_TENANT_ID}/, ${keys}`,
    });
  });

  it('are counted as the gateway can use them', async () => {
    await world.emulator.rollKeys();
    expect(rowOf(await world.rowsOf(), V2)?.found).toMatch(
      new RegExp(`, ${world.emulator.publishedKeyIds().length} keys$`),
    );
  });

  it('may be those of all organizations', async () => {
    const rows = await world.rowsOf({
      identity: { tenant: 'organizations', allowedTenants: [HOME_TENANT_ID, PARTNER_TENANT_ID] },
    });
    expect(rowOf(rows, V2)).toMatchObject({ status: 'ok', found: expect.stringContaining('/{tenantid}/v2.0') });
  });

  it('are missing for a tenant that does not exist', async () => {
    const rows = await world.rowsOf({ identity: { tenant: '00000000-0000-4000-8000-000000000000' } });
    expect(rowOf(rows, V2)).toMatchObject({ status: 'fail', key: 'identity.tenant' });
    expect(rowOf(rows, V1)).toMatchObject({ status: 'warn', remedy: expect.stringContaining('requestedAccessToken') });
  });

  it('may lack v1 at External ID', async () => {
    const authority = new Authority('https://contoso.ciamlogin.com', HOME_TENANT_ID);
    const rows = await checkEntra({ authority, http: new Detour(1_000) });
    expect(rowOf(rows, V1)).toMatchObject({ status: 'ok', found: expect.stringContaining('External ID') });
  });

  it.each([401, 403, 407, 451])('are not missing when something on the way answers %d', async (status) => {
    const proxy = await listenOnLoopback({}, () => (_req, res) => res.writeHead(status).end('<html>Denied</html>'));
    const rows = await world.rowsOf({ identity: { authority: proxy.origin } });
    await proxy.close();
    for (const check of [V1, V2]) {
      expect(rowOf(rows, check)).toMatchObject({
        status: 'fail',
        found: expect.stringContaining(`answered ${status}`),
        remedy: expect.stringContaining('no proxy answers in its place'),
      });
    }
  });

  it('are told with the keys that count as none', async () => {
    const issuer = await startTokenIssuer([makeIssuerKey().jwk, makeIssuerKey({ kid: 'spare', use: 'enc' }).jwk]);
    const rows = await world.rowsOf({ identity: { authority: issuer.origin } });
    await issuer.close();
    expect(rowOf(rows, V2)?.found).toMatch(/, 1 key; spare is ignored: its use is not sig$/);
  });

  it('fail when the issuer is of another tenant', async () => {
    const foreign = await listenOnLoopback({}, (origin) => (_req, res) => {
      res.end(
        JSON.stringify({
          issuer: `${origin}/${PARTNER_TENANT_ID}/v2.0`,
          jwks_uri: `${world.emulator.origin}/x/discovery/keys`,
        }),
      );
    });
    const rows = await world.rowsOf({ identity: { authority: foreign.origin } });
    await foreign.close();
    expect(rowOf(rows, V2)).toMatchObject({ status: 'fail', reason: expect.stringContaining(HOME_TENANT_ID) });
  });

  it.each([
    ['<html>Sign in to the proxy</html>', 'the answer is not JSON'],
    ['{}', 'the metadata has no issuer or no jwks_uri'],
  ])('fail when something else answers: %s', async (body, found) => {
    const proxy = await listenOnLoopback({}, () => (_req, res) => res.end(body));
    const rows = await world.rowsOf({ identity: { authority: proxy.origin } });
    await proxy.close();
    expect(rowOf(rows, V2)).toMatchObject({ status: 'fail', found, key: 'identity.authority' });
  });

  it('fail while Entra is down', async () => {
    world.emulator.switches.keys = 'down';
    const rows = await world.rowsOf();
    expect(rowOf(rows, V2)).toMatchObject({ status: 'fail', found: expect.stringMatching(/answered 503$/) });
    expect(rowOf(rows, V1)).toMatchObject({ status: 'fail' });
  });

  it('fail when Entra does not answer in time', async () => {
    world.emulator.switches.keys = 'hang';
    const rows = await world.rowsOf({}, { deadlineMs: 200 });
    expect(rowOf(rows, V2)).toMatchObject({ status: 'fail', found: 'not reachable (deadline exceeded)' });
  });

  it('fail when nothing is there', async () => {
    const rows = await world.rowsOf({ identity: { authority: 'http://127.0.0.1:1' } });
    expect(rowOf(rows, V2)).toMatchObject({ status: 'fail', found: 'not reachable (ECONNREFUSED)' });
  });
});

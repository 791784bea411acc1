import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../dev/tour/browser.ts';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { callApi } from '../../examples/recover/msal-node.ts';
import { callWithConsent } from '../../examples/recover/consent.ts';
import { PAYOUT_REQUEST } from './payout.ts';
import { ADELE, MEGAN, signIn } from './signed-in.ts';

let world: DemoWorld;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

describe('examples/recover/msal-node.ts', () => {
  it('needs nobody where no proof is asked', async () => {
    const adele = await signIn(world, ADELE);
    const response = await callApi(adele, `${world.gatewayUrl}/me`);
    expect([response.status, adele.pagesOpened()]).toEqual([200, 0]);
  });

  it('recovers by itself when Entra wants MFA for Graph', async () => {
    const megan = await signIn(world, MEGAN);
    const response = await callApi(megan, `${world.gatewayUrl}/me`);
    expect([response.status, megan.pagesOpened()]).toEqual([200, 1]);
    expect(await response.json()).toMatchObject({ displayName: 'Megan Bowen' });
  });

  it('recovers by itself when the contract wants an authentication context', async () => {
    const megan = await signIn(world, MEGAN);
    const response = await callApi(megan, `${world.gatewayUrl}/payouts`, PAYOUT_REQUEST);
    expect([response.status, megan.pagesOpened()]).toEqual([202, 1]);
  });

  it('lets the user sign in again when the session was revoked', async () => {
    const adele = await signIn(world, ADELE);
    await callApi(adele, `${world.gatewayUrl}/me`);
    world.emulator.revokeUser('adele');
    const response = await callApi(adele, `${world.gatewayUrl}/me/messages`);
    expect([response.status, adele.pagesOpened()]).toEqual([200, 1]);
  });

  it('lets the user sign in when Entra names no claims', async () => {
    const adele = await signIn(world, ADELE);
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50_076], suberror: 'basic_action' };
    const stop = world.emulator.onRequest(({ path }) => {
      if (path.endsWith('/authorize')) world.emulator.switches.refuse = undefined;
    });
    const response = await callApi(adele, `${world.gatewayUrl}/me`);
    stop();
    expect([response.status, adele.pagesOpened()]).toEqual([200, 1]);
  });

  it('gives up with the answer of the gateway when no proof helps', async () => {
    const megan = await signIn(world, MEGAN);
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50_076], claims };
    const response = await callApi(megan, `${world.gatewayUrl}/me`);
    expect(response.ok).toBe(false);
    expect(megan.pagesOpened()).toBeLessThanOrEqual(2);
  });

  it.each([
    { refusal: { error: 'invalid_grant', error_codes: [65_001], suberror: 'consent_required' }, status: 403 },
    { refusal: { error: 'invalid_grant', error_codes: [50_105] }, status: 403 },
    { refusal: { error: 'invalid_client', error_codes: [7_000_215] }, status: 500 },
    { refusal: { error: 'temporarily_unavailable', error_codes: [90_033], status: 503 }, status: 503 },
  ])('does not trouble the user for a $status ($refusal.error_codes.0)', async ({ refusal, status }) => {
    const adele = await signIn(world, ADELE);
    world.emulator.switches.refuse = refusal;
    const response = await callApi(adele, `${world.gatewayUrl}/me`);
    expect([response.status, adele.pagesOpened()]).toEqual([status, 0]);
  });
});

describe('examples/recover/consent.ts', () => {
  it('calls again when the user has consented to what the gateway needs', async () => {
    const newcomer = await signIn(world, { user: 'newcomer', consent: 'granted' });
    const response = await callWithConsent(newcomer, newcomer.openBrowser, `${world.gatewayUrl}/me`);
    expect([response.status, newcomer.pagesOpened()]).toEqual([200, 1]);
  });

  it('leaves the refusal as it is when the user declines', async () => {
    const newcomer = await signIn(world, { user: 'newcomer', consent: 'granted' });
    const browser = new Browser(world.emulator.origin);
    const decline = async (uri: string): Promise<void> => {
      await browser.visit(uri, { user: 'newcomer', consent: 'denied' });
    };
    const response = await callWithConsent(newcomer, decline, `${world.gatewayUrl}/me`);
    expect(await response.json()).toMatchObject({ status: 403, code: 'consent_required' });
  });
});

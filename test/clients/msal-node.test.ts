import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../dev/tour/browser.ts';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { callAndRecover, type Client } from '../../examples/recover/call-and-recover.ts';
import { acquireToken, type Session } from '../../examples/recover/msal-node.ts';
import { PAYOUT_REQUEST } from './payout.ts';
import { ADELE, MEGAN, signIn } from './signed-in.ts';

let world: DemoWorld;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

function clientOf(session: Session, more: Omit<Client, 'getToken'> = {}): Client {
  return { getToken: async (demand) => (await acquireToken(session, demand)).accessToken, ...more };
}

describe('examples/recover/msal-node.ts', () => {
  it('needs nobody where no proof is asked', async () => {
    const adele = await signIn(world, ADELE);
    const response = await callAndRecover(clientOf(adele), `${world.gatewayUrl}/me`);
    expect([response.status, adele.pagesOpened()]).toEqual([200, 0]);
  });

  it('recovers by itself when Entra wants MFA for Graph', async () => {
    const megan = await signIn(world, MEGAN);
    const response = await callAndRecover(clientOf(megan), `${world.gatewayUrl}/me`);
    expect([response.status, megan.pagesOpened()]).toEqual([200, 1]);
    expect(await response.json()).toMatchObject({ displayName: 'Megan Bowen' });
  });

  it('recovers by itself when the contract wants an authentication context', async () => {
    const megan = await signIn(world, MEGAN);
    const response = await callAndRecover(clientOf(megan), `${world.gatewayUrl}/payouts`, PAYOUT_REQUEST);
    expect([response.status, megan.pagesOpened()]).toEqual([202, 1]);
  });

  it('lets the user sign in again when the session was revoked', async () => {
    const adele = await signIn(world, ADELE);
    await callAndRecover(clientOf(adele), `${world.gatewayUrl}/me`);
    world.emulator.revokeUser('adele');
    const response = await callAndRecover(clientOf(adele), `${world.gatewayUrl}/me/messages`);
    expect([response.status, adele.pagesOpened()]).toEqual([200, 1]);
  });

  it('lets the user sign in when Entra names no claims', async () => {
    const adele = await signIn(world, ADELE);
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], suberror: 'basic_action' };
    const stop = world.emulator.onRequest(({ path }) => {
      if (path.endsWith('/authorize')) {
        world.emulator.switches.refuse = undefined;
      }
    });
    const response = await callAndRecover(clientOf(adele), `${world.gatewayUrl}/me`);
    stop();
    expect([response.status, adele.pagesOpened()]).toEqual([200, 1]);
  });

  it('gives up with the answer of the gateway when no proof helps', async () => {
    const megan = await signIn(world, MEGAN);
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims };
    const response = await callAndRecover(clientOf(megan), `${world.gatewayUrl}/me`);
    expect(response.ok).toBe(false);
    expect(megan.pagesOpened()).toBeLessThanOrEqual(2);
  });

  it.each([
    { refusal: { error: 'invalid_grant', error_codes: [65001], suberror: 'consent_required' }, status: 403 },
    { refusal: { error: 'invalid_grant', error_codes: [50105] }, status: 403 },
    { refusal: { error: 'invalid_client', error_codes: [7000215] }, status: 500 },
    { refusal: { error: 'temporarily_unavailable', error_codes: [90033], status: 503 }, status: 503 },
  ])('does not trouble the user for a $status ($refusal.error_codes.0)', async ({ refusal, status }) => {
    const adele = await signIn(world, ADELE);
    world.emulator.switches.refuse = refusal;
    const response = await callAndRecover(clientOf(adele), `${world.gatewayUrl}/me`);
    expect([response.status, adele.pagesOpened()]).toEqual([status, 0]);
  });
});

describe('examples/recover/call-and-recover.ts', () => {
  it('calls again when the user has consented to what the gateway needs', async () => {
    const newcomer = await signIn(world, { user: 'newcomer', consent: 'granted' });
    const client = clientOf(newcomer, { showConsent: newcomer.openBrowser });
    const response = await callAndRecover(client, `${world.gatewayUrl}/me`);
    expect([response.status, newcomer.pagesOpened()]).toEqual([200, 1]);
  });

  it('leaves the refusal as it is when the user declines, and does not ask twice', async () => {
    const newcomer = await signIn(world, { user: 'newcomer', consent: 'granted' });
    const browser = new Browser(world.emulator.origin);
    let asked = 0;
    const showConsent = async (uri: string): Promise<void> => {
      asked += 1;
      await browser.visit(uri, { user: 'newcomer', consent: 'denied' });
    };
    const response = await callAndRecover(clientOf(newcomer, { showConsent }), `${world.gatewayUrl}/me`);
    expect(await response.json()).toMatchObject({ status: 403, code: 'consent_required' });
    expect(asked).toBe(1);
  });

  it('lets the time pass that the gateway asks for, and calls again', async () => {
    const adele = await signIn(world, ADELE);
    world.emulator.switches.retryAfter = '1';
    world.emulator.switches.entra = 'throttled';
    const waits: number[] = [];
    const wait = async (seconds: number): Promise<void> => {
      waits.push(seconds);
      world.emulator.switches.entra = 'up';
      await setTimeout(seconds * 1000);
    };
    const response = await callAndRecover(clientOf(adele, { wait }), `${world.gatewayUrl}/me`);
    expect([response.status, waits]).toEqual([200, [1]]);
  });

  it('leaves the refusal as it is where nobody can wait', async () => {
    const adele = await signIn(world, ADELE);
    world.emulator.switches.entra = 'throttled';
    const response = await callAndRecover(clientOf(adele), `${world.gatewayUrl}/me`);
    expect(response.status).toBe(503);
  });
});

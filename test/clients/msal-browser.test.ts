import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AccountInfo } from '@azure/msal-node';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { callAndRecover, type Client } from '../../examples/recover/call-and-recover.ts';
import { acquireToken, type Session } from '../../examples/recover/msal-browser.ts';
import { PAYOUT_REQUEST } from './payout.ts';
import { ADELE, MEGAN, signIn, type SignedIn } from './signed-in.ts';

let world: DemoWorld;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

/** A page's MSAL, played by that of Node: the same cache and the same rules, with a browser instead of a popup. */
function inPage({ msal, account, scopes, openBrowser }: SignedIn): Client {
  const session: Session<AccountInfo> = {
    account,
    scopes,
    msal: {
      acquireTokenSilent: (request) => msal.acquireTokenSilent(request),
      acquireTokenPopup: ({ account: { username }, ...request }) =>
        msal.acquireTokenInteractive({ ...request, loginHint: username, openBrowser }),
    },
  };
  return { getToken: (demand) => acquireToken(session, demand) };
}

describe('examples/recover/msal-browser.ts', () => {
  it('recovers by itself when Entra wants MFA for Graph', async () => {
    const megan = await signIn(world, MEGAN);
    const response = await callAndRecover(inPage(megan), `${world.gatewayUrl}/me`);
    expect([response.status, megan.pagesOpened()]).toEqual([200, 1]);
  });

  it('recovers by itself when the contract wants an authentication context', async () => {
    const megan = await signIn(world, MEGAN);
    const response = await callAndRecover(inPage(megan), `${world.gatewayUrl}/payouts`, PAYOUT_REQUEST);
    expect([response.status, megan.pagesOpened()]).toEqual([202, 1]);
  });

  it('lets the user sign in again when the session was revoked', async () => {
    const adele = await signIn(world, ADELE);
    world.emulator.revokeUser('adele');
    const response = await callAndRecover(inPage(adele), `${world.gatewayUrl}/me`);
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
    const response = await callAndRecover(inPage(adele), `${world.gatewayUrl}/me`);
    stop();
    expect([response.status, adele.pagesOpened()]).toEqual([200, 1]);
  });
});

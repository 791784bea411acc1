import { once } from 'node:events';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../dev/tour/browser.ts';
import { findFreePort } from '../../dev/ports.ts';
import { startWorld } from '../../dev/world.ts';
import { startRecipe } from './recipe.ts';

const ADELE = { user: 'adele' };
const MEGAN = { user: 'megan', mfa: 'approved' };

const world = await startWorld();
const port = await findFreePort();
const app = `http://localhost:${port}`;
const program = startRecipe('web-app', world, { env: { PORT: String(port) } });
await once(program.stdout, 'data');

let browser: Browser;
let signIns: number;
const stop = world.emulator.onRequest(({ method, path }) => {
  if (method === 'GET' && path.endsWith('/authorize')) {
    signIns += 1;
  }
});
beforeEach(() => {
  browser = new Browser(world.emulator.origin);
  signIns = 0;
});
afterEach(() => world.emulator.resetSwitches());
afterAll(async () => {
  stop();
  program.kill();
  await world.close();
});

describe('examples/web-app', () => {
  it('sends a stranger to Entra and back to the page they wanted', async () => {
    const page = await browser.visit(`${app}/me/messages?$top=2`, ADELE);
    expect([page.match(/subject/g)?.length, signIns]).toEqual([2, 1]);
  });

  it('knows the user by the cookie from then on', async () => {
    await browser.visit(`${app}/me`, ADELE);
    expect(await browser.visit(`${app}/orders`, {})).toContain('Fabrikam');
    expect(signIns).toBe(1);
  });

  it('takes the claims of a challenge to Entra, and the user comes back to where they were', async () => {
    const page = await browser.visit(`${app}/me/messages?$top=1`, MEGAN);
    expect([page.match(/subject/g)?.length, signIns]).toEqual([1, 2]);
  });

  it('lets the user sign in again when their session was revoked', async () => {
    await browser.visit(`${app}/me`, ADELE);
    world.emulator.revokeUser('adele');
    expect(await browser.visit(`${app}/me`, ADELE)).toContain('Adele Vance');
    expect(signIns).toBe(2);
  });

  it('shows the way to the consent page, and the answer when the user is back', async () => {
    const newcomer = { user: 'newcomer', consent: 'granted' };
    const page = await browser.visit(`${app}/me`, newcomer);
    const link = /<a href="([^"]+)">Give the permission/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';
    await browser.visit(link, newcomer);
    expect(await browser.visit(`${app}/me`, newcomer)).toContain('Nestor Newcomer');
  });

  it('asks for patience while Entra throttles the gateway', async () => {
    await browser.visit(`${app}/me`, MEGAN);
    world.emulator.switches.entra = 'throttled';
    world.emulator.switches.retryAfter = '7';
    expect(await browser.visit(`${app}/orders`, MEGAN)).toContain('again in 7 seconds');
  });

  it('stops when no sign-in helps', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims };
    expect(await browser.visit(`${app}/me`, MEGAN)).toContain('This does not work');
    expect(signIns).toBeLessThanOrEqual(3);
  });

  it('says so when the user gives up at Entra', async () => {
    const page = await browser.visit(`${app}/me`, { user: 'megan', cancel: '1' });
    expect(page).toContain('Entra answered access_denied');
  });

  it('takes no answer of a sign-in that it did not begin', async () => {
    const response = await fetch(`${app}/signed-in?state=x&code=y`);
    expect([response.status, response.headers.getSetCookie()]).toEqual([400, []]);
  });

  it('makes a cookie worthless that was known before the sign-in', async () => {
    const stranger = await open(`${app}/me`);
    const answered = await open(stranger.location, { method: 'POST', body: new URLSearchParams(ADELE) });
    const signedIn = await open(answered.location, { headers: { cookie: stranger.cookie } });
    const visits = [stranger, signedIn].map(({ cookie }) => open(`${app}/me`, { headers: { cookie } }));
    expect((await Promise.all(visits)).map(({ status }) => status)).toEqual([302, 200]);
  });
});

interface Opened {
  readonly status: number;
  readonly location: string;
  readonly cookie: string;
}

/** Opens a page without following where it leads. */
async function open(address: string, init: RequestInit = {}): Promise<Opened> {
  const { status, headers } = await fetch(address, { redirect: 'manual', ...init });
  const location = new URL(headers.get('location') ?? address, address).href;
  return { status, location, cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '' };
}

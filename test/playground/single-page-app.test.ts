import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium } from '../support/chromium.ts';
import { answerEntra, giveConsent } from './entra-window.ts';

describeWithChromium('examples/single-page-app', (chromium) => {
  let world: DemoWorld;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  const open = (): Promise<Page> => chromium.open(`${world.playground.origin}/single-page-app/`);

  it('calls an operation for who signs in', async () => {
    const page = await open();
    await signIn(page, 'Adele Vance');
    await press(page, 'My profile');
    await page.getByText('The API answered 200.').waitFor();
    expect(JSON.parse(await answerOf(page))).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('takes nothing that is pressed before it can do it', async () => {
    const page = await open();
    await page.route('**/settings.json', async (route) => {
      await setTimeout(500);
      await route.continue();
    });
    await page.reload();
    await signIn(page, 'Adele Vance');
    expect(await page.getByRole('status').textContent()).toBe('Adele Vance is signed in.');
  });

  it('lets the person approve with MFA when Entra wants that, and calls again', async () => {
    const page = await open();
    await signIn(page, 'Megan Bowen');
    await answerEntra(page, () => press(page, 'My profile'), ['Approve']);
    await page.getByText('The API answered 200.').waitFor();
    expect(JSON.parse(await answerOf(page))).toMatchObject({ displayName: 'Megan Bowen' });
  });

  it('lets the person sign in again when their session was revoked', async () => {
    const page = await open();
    await signIn(page, 'Adele Vance');
    world.emulator.revokeUser('adele');
    await answerEntra(page, () => press(page, 'My profile'), ['Adele Vance']);
    await page.getByText('The API answered 200.').waitFor();
    expect(JSON.parse(await answerOf(page))).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('shows the page where a missing permission is given, and calls again', async () => {
    const page = await open();
    await signIn(page, 'Nestor Newcomer');
    await press(page, 'My profile');
    await giveConsent(page, () => page.getByRole('link', { name: 'give it' }).click());
    await press(page, 'Call again');
    await page.getByText('The API answered 200.').waitFor();
    expect(JSON.parse(await answerOf(page))).toMatchObject({ displayName: 'Nestor Newcomer' });
  });

  it('waits as long as it is told to while Entra is throttled, and calls again', async () => {
    const page = await open();
    await signIn(page, 'Adele Vance');
    Object.assign(world.emulator.switches, { entra: 'throttled', retryAfter: '1', outageFor: 'confidentialClients' });
    await press(page, 'My profile');
    await page.getByText('The API is busy; calling again in').waitFor();
    world.emulator.switches.entra = 'up';
    await page.getByText('The API answered 200.').waitFor();
    expect(JSON.parse(await answerOf(page))).toMatchObject({ displayName: 'Adele Vance' });
  });

  it('tells the person when nothing helps', async () => {
    const page = await open();
    await signIn(page, 'Adele Vance');
    world.emulator.switches.refuse = { error: 'invalid_grant', error_codes: [50105] };
    await press(page, 'My profile');
    await page.getByText('The API answered 403.').waitFor();
    expect(await answerOf(page)).toMatch(/\w/);
  });
});

async function signIn(page: Page, name: string): Promise<void> {
  await answerEntra(page, () => press(page, 'Sign in'), [name]);
  await page.getByText(`${name} is signed in.`).waitFor();
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click();
}

async function answerOf(page: Page): Promise<string> {
  return (await page.locator('#answer').textContent()) ?? '';
}

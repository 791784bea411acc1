import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium } from '../support/chromium.ts';
import { answerEntra, giveConsent } from './entra-window.ts';
import { findViolations } from './find-violations.ts';

describeWithChromium('native authentication on a page', (chromium) => {
  let world: DemoWorld;
  let page: Page;
  beforeEach(async () => {
    world = await startWorld();
    page = await chromium.open(`${world.playground.origin}/native.html`);
  });
  afterEach(() => world.close());

  const passwordOf = (alias: string): string =>
    world.emulator.world.users.find((user) => user.alias === alias)?.password ?? '';

  async function begin(name: string): Promise<void> {
    await page.getByTestId('native-person').selectOption(name);
    await page.getByTestId('native-start').click();
  }

  async function give(field: 'native-password' | 'native-code', value: string): Promise<void> {
    await page.getByTestId(field).fill(value);
    await page.getByTestId('native-submit').click();
  }

  async function readMail(): Promise<string> {
    await page.getByTestId('native-read-mail').click();
    const mail = (await page.getByText('The code is').textContent()) ?? '';
    return /\d+/.exec(mail)?.[0] ?? '';
  }

  it('signs a person in by their password, without leaving the page, and calls the gateway', async () => {
    await begin('Adele Vance');
    await give('native-password', passwordOf('adele'));
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-state').textContent()).toBe('Adele Vance is signed in.');
    expect(await page.getByTestId('native-result').textContent()).toContain('"displayName": "Adele Vance"');
    expect(await findViolations(page)).toEqual([]);
  });

  it('tells that the password is wrong, and takes the right one', async () => {
    await begin('Adele Vance');
    await give('native-password', 'not-it');
    await page.getByTestId('native-state').getByText('50126').waitFor();
    await give('native-password', passwordOf('adele'));
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-state').textContent()).toBe('Adele Vance is signed in.');
  });

  it('signs a person without a password in by a code from their mail', async () => {
    await begin('Cody Code');
    await give('native-code', await readMail());
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-result').textContent()).toContain('"displayName": "Cody Code"');
  });

  it('tells that the code is wrong, and takes the right one', async () => {
    await begin('Cody Code');
    await give('native-code', '00000000');
    await page.getByTestId('native-state').getByText('50181').waitFor();
    await give('native-code', await readMail());
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-state').textContent()).toBe('Cody Code is signed in.');
  });

  it('goes on in the window of Entra where the page cannot ask for what Entra wants', async () => {
    await page.getByTestId('native-can-password').uncheck();
    await begin('Adele Vance');
    await answerEntra(page, () => page.getByTestId('native-fallback').click(), ['Adele Vance']);
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-result').textContent()).toContain('"displayName": "Adele Vance"');
  });

  it('shows the page where consent is given, and calls again with a fresh token', async () => {
    await begin('Nestor Newcomer');
    await give('native-password', passwordOf('newcomer'));
    await page.getByTestId('problem-code').getByText('consent_required').waitFor();
    // Entra's window knows nobody yet.
    await giveConsent(page, () => page.getByTestId('satisfy').click(), ['Nestor Newcomer']);
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-result').textContent()).toContain('"displayName": "Nestor Newcomer"');
    await page.getByText('refresh token, Nestor Newcomer').waitFor();
  });

  it('waits as long as the gateway says while Entra is throttled, and calls again', async () => {
    await begin('Adele Vance');
    await page.getByTestId('native-password').waitFor();
    Object.assign(world.emulator.switches, { entra: 'throttled', retryAfter: '1', outageFor: 'confidentialClients' });
    await give('native-password', passwordOf('adele'));
    await page.getByTestId('problem-code').getByText('identity_unavailable').waitFor();
    world.emulator.switches.entra = 'up';
    await page.getByTestId('satisfy').click();
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-result').textContent()).toContain('"displayName": "Adele Vance"');
  });

  it('steps up when the gateway asks for it', async () => {
    await begin('Megan Bowen');
    await give('native-password', passwordOf('megan'));
    await page.getByTestId('problem-code').getByText('insufficient_claims').waitFor();
    await page.getByTestId('satisfy').click();
    await give('native-password', passwordOf('megan'));
    await give('native-code', await readMail());
    await page.getByTestId('response-status').getByText('200').waitFor();
    expect(await page.getByTestId('native-result').textContent()).toContain('"displayName": "Megan Bowen"');
  });
});

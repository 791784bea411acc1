import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium } from '../support/chromium.ts';
import { findViolations } from './find-violations.ts';
import { PlaygroundPage } from './playground-page.ts';

const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, hasTouch: true };
const MOST_STOPS = 60;

describeWithChromium('the playground is for everybody', (chromium) => {
  let world: DemoWorld;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  it('takes a person through MFA by the keyboard alone', async () => {
    const playground = await PlaygroundPage.open(chromium, world);
    const { page } = playground;
    await tabTo(page, 'person');
    await page.keyboard.type('Megan');
    await tabTo(page, 'sign-in');
    await pressInPopup(page, 'Megan Bowen');
    await playground.part('who').getByText('Megan Bowen').waitFor();
    await playground.finish();
    await tabTo(page, 'send');
    await page.keyboard.press('Enter');
    await playground.finish();
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    await tabTo(page, 'satisfy');
    await pressInPopup(page, 'Approve');
    await playground.finish();
    expect(await playground.answer()).toBe('200 OK');
  });

  it.each([
    { where: 'on a screen', options: {} },
    { where: 'in the dark', options: { colorScheme: 'dark' } },
    { where: 'on a phone', options: PHONE },
    { where: 'on a phone in the dark', options: { ...PHONE, colorScheme: 'dark' } },
  ] as const)('axe-core finds nothing wrong $where, at the start and with a challenge', async ({ options }) => {
    const playground = await PlaygroundPage.open(chromium, world, options);
    expect(await findViolations(playground.page)).toEqual([]);
    await playground.signIn('Megan Bowen');
    await playground.call('listMessages');
    await openEverything(playground.page);
    expect(await findViolations(playground.page)).toEqual([]);
  });

  it('fits a phone 360 px wide, with everything open', async () => {
    const playground = await PlaygroundPage.open(chromium, world, PHONE);
    await playground.signIn('Megan Bowen');
    await playground.part('both-services').tap();
    await playground.finish();
    await openEverything(playground.page);
    expect(await playground.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  it('fits a phone with native authentication, too', async () => {
    const page = await chromium.open(`${world.playground.origin}/native.html`, PHONE);
    await page.getByTestId('native-person').selectOption('Cody Code');
    await page.getByTestId('native-start').tap();
    await page.getByTestId('native-code').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect(await findViolations(page)).toEqual([]);
  });

  it('scrolls its panes on a screen, and not the page', async () => {
    const playground = await PlaygroundPage.open(chromium, world, { viewport: { width: 1280, height: 800 } });
    await playground.signIn('Megan Bowen');
    await playground.call('listMessages');
    await playground.satisfy(['Approve']);
    expect(await playground.page.evaluate('document.documentElement.scrollHeight')).toBe(800);
  });

  it('is dark where the person wants it dark', async () => {
    const playground = await PlaygroundPage.open(chromium, world, { colorScheme: 'dark' });
    const colour = await playground.page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const [red = 255, green = 255, blue = 255] = (colour.match(/\d+/g) ?? []).map(Number);
    expect(Math.max(red, green, blue)).toBeLessThan(64);
  });
});

/** Goes from stop to stop until this part of the page has the focus. */
async function tabTo(page: Page, testId: string): Promise<void> {
  const isThere = (): Promise<boolean> =>
    page.evaluate<boolean>(`document.activeElement?.getAttribute('data-testid') === '${testId}'`);
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    if (await isThere()) {
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not reach ${testId}.`);
}

/** Presses the focused button; and in the window that it opens goes to another and presses that. */
async function pressInPopup(page: Page, button: string): Promise<void> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.keyboard.press('Enter')]);
  await popup.getByRole('button', { name: button }).waitFor();
  const focused = (): Promise<string> =>
    popup.evaluate<string>('document.querySelector("button:focus")?.textContent ?? ""');
  while (!(await focused()).startsWith(button)) {
    await popup.keyboard.press('Tab');
  }
  await popup.keyboard.press('Enter');
  if (!popup.isClosed()) {
    await popup.waitForEvent('close');
  }
}

async function openEverything(page: Page): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })");
}

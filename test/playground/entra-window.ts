import type { Page } from 'playwright-core';

/**
 * What a person does in the window of Entra that an act on the page opens: presses one button after the other, by their
 * names. Ends when the window has closed itself.
 */
export async function answerEntra(page: Page, act: () => Promise<void>, buttons: readonly string[]): Promise<void> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), act()]);
  for (const name of buttons) {
    await popup.getByRole('button', { name }).click();
  }
  if (!popup.isClosed()) {
    await popup.waitForEvent('close');
  }
}

/**
 * What a person does about a consent page: accepts, reads the thanks and closes it.
 *
 * @param buttons to press before, by their names
 */
export async function giveConsent(
  page: Page,
  act: () => Promise<void>,
  buttons: readonly string[] = [],
): Promise<void> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), act()]);
  for (const name of [...buttons, 'Accept']) {
    await popup.getByRole('button', { name }).click();
  }
  await popup.getByText('The permission was given.').waitFor();
  await popup.close();
}

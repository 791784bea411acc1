import type { Locator, Page } from 'playwright-core';
import { answerEntra } from '../playground/entra-window.ts';
import type { Chromium } from '../support/chromium.ts';

/** The documentation page as a person uses it. */
export class BrowserPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens it as somebody who was never there. */
  static async open(
    chromium: Chromium,
    gatewayUrl: string,
    { path = '/docs', isAttacked = false } = {},
  ): Promise<BrowserPage> {
    // Refusals of the page's own origin are what it shows, and no fault of it.
    const page = await chromium.open('about:blank', { isAttacked });
    await page.goto(`${gatewayUrl}${path}`);
    await page.locator('.swagger-ui .info').waitFor();
    return new BrowserPage(page);
  }

  /** Signs in, with the buttons of Entra's window by their names. */
  async signIn(buttons: readonly string[]): Promise<void> {
    await this.openAuthorizations();
    await answerEntra(this.page, () => this.#press('Apply given OAuth2 credentials'), buttons);
    await this.page.getByRole('button', { name: 'Remove authorization' }).waitFor();
    await this.#close();
  }

  /** Forgets the token. */
  async signOut(): Promise<void> {
    await this.openAuthorizations();
    await this.#press('Remove authorization');
    await this.#close();
  }

  /** Pastes a token for the scheme whose field is the first. */
  async paste(token: string): Promise<void> {
    await this.openAuthorizations();
    await this.page.getByLabel('auth-bearer-value').first().fill(token);
    await this.page.getByRole('button', { name: 'Apply credentials' }).first().click();
    await this.#close();
  }

  /** Opens the dialog in which people sign in. */
  async openAuthorizations(): Promise<void> {
    await this.page.locator('.scheme-container').getByRole('button', { name: 'Authorize' }).click();
  }

  /** The scopes that are chosen for the sign-in, in the open dialog. */
  async chosenScopes(): Promise<(string | null)[]> {
    const boxes = this.page.locator('.scopes input:checked');
    await boxes.first().waitFor({ state: 'attached' });
    return boxes.evaluateAll((all) => all.map((box) => box.getAttribute('data-value')));
  }

  /**
   * Tries an operation out, with what the page suggests for it.
   *
   * @returns the answer as the page shows it
   */
  async tryOut(operationId: string): Promise<Answer> {
    const operation = this.page.locator(`[id$="-${operationId}"]`);
    if (!(await operation.locator('.opblock-body').isVisible())) {
      await operation.locator('.opblock-summary-control').click();
    }
    const start = operation.getByRole('button', { name: 'Try it out' });
    const execute = operation.getByRole('button', { name: 'Execute' });
    await start.or(execute).first().waitFor();
    if (await start.isVisible()) {
      await start.click();
    }
    const answered = this.page.waitForResponse((response) => response.request().resourceType() === 'fetch');
    await execute.click();
    await answered;
    return new Answer(operation.locator('.live-responses-table'));
  }

  async #press(name: string): Promise<void> {
    await this.page.getByRole('button', { name }).first().click();
  }

  async #close(): Promise<void> {
    await this.page.locator('.close-modal').click();
  }
}

/** The answer of an operation as the page shows it. */
class Answer {
  readonly #table: Locator;

  constructor(table: Locator) {
    this.#table = table;
  }

  /** Waits until this status is shown, and gives all that is. */
  async withStatus(status: number): Promise<string> {
    await this.#table.locator('.response-col_status').getByText(String(status)).waitFor();
    return this.#table.innerText();
  }
}

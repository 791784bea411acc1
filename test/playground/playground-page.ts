import { expect } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import type { DemoWorld } from '../../dev/world.ts';
import type { Chromium } from '../support/chromium.ts';
import { until } from '../support/gateway-poll.ts';
import { answerEntra } from './entra-window.ts';

/** Milliseconds that a hop may take to reach the page. */
const PATIENCE = 15_000;

/** The playground as a person uses it. */
export class PlaygroundPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens it as somebody who was never there. */
  static async open(
    chromium: Chromium,
    { playground }: DemoWorld,
    options?: Parameters<Chromium['open']>[1],
  ): Promise<PlaygroundPage> {
    const page = await chromium.open(playground.origin, options);
    const opened = new PlaygroundPage(page);
    await page.getByRole('option', { name: 'Adele Vance' }).waitFor({ state: 'attached' });
    return opened;
  }

  /** A part of the page by its test id. */
  part(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Signs somebody in. */
  async signIn(name: string, buttons: readonly string[] = [name]): Promise<void> {
    await this.part('person').selectOption(name);
    await answerEntra(this.page, () => this.part('sign-in').click(), buttons);
    await this.part('who').getByText(name).waitFor();
    await this.finish();
  }

  /** Signs out whoever is signed in. */
  async signOut(): Promise<void> {
    await answerEntra(this.page, () => this.part('sign-out').click(), []);
    await this.finish();
  }

  /** Sends a call of an operation, with what the page suggests for it. */
  async call(operationId: string): Promise<void> {
    await this.part('operation').selectOption(operationId);
    await this.send();
  }

  /** Sends what stands in the form and waits for the end of the answer. */
  async send(): Promise<void> {
    await this.part('send').click();
    await this.finish();
  }

  /** Presses the one button that does what the answer asks for; with it buttons of Entra's window, if it opens one. */
  async satisfy(buttons?: readonly string[]): Promise<void> {
    const press = (): Promise<void> => this.part('satisfy').click();
    await (buttons === undefined ? press() : answerEntra(this.page, press, buttons));
    await this.finish();
  }

  /** Turns a switch of the world. */
  async turn(id: string, position: string): Promise<void> {
    await this.#openWorld();
    await this.#change(() => this.part(`switch-${id}`).selectOption(position));
  }

  /** Does something to the world once. */
  async act(id: string): Promise<void> {
    await this.#openWorld();
    await this.#change(() => this.part(`action-${id}`).click());
  }

  /** Puts every switch back to rest. */
  async reset(): Promise<void> {
    await this.#openWorld();
    await this.#change(() => this.part('reset').click());
  }

  /** Writes into a field of the form, or chooses in it. */
  async fill(id: string, value: string): Promise<void> {
    const field = this.part(id);
    const isChoice = (await field.locator('option').count()) > 0;
    await (isChoice ? field.selectOption(value) : field.fill(value));
  }

  /** What the page shows of the last answer, `401 Unauthorized insufficient_claims`. */
  async answer(): Promise<string> {
    const texts = await Promise.all(['response-status', 'problem-code'].map((id) => this.part(id).textContent()));
    return texts.join(' ').trim();
  }

  /** What the one button says that does what the answer asks for; empty when there is none. */
  async remedy(): Promise<string> {
    const button = this.part('satisfy');
    return (await button.isVisible()) ? ((await button.textContent()) ?? '') : '';
  }

  /** The body of the last answer. */
  async body(): Promise<unknown> {
    return JSON.parse((await this.part('response-body').textContent()) ?? '');
  }

  /** Expects these hops in the diagram, sooner or later: `client → gateway 401`. */
  async expectHops(hops: readonly string[]): Promise<void> {
    let drawn: string[] = [];
    const areThere = async (): Promise<boolean> => {
      drawn = await this.#readHops();
      return JSON.stringify(drawn) === JSON.stringify(hops);
    };
    await until('the diagram is complete', areThere, PATIENCE).catch(() => expect(drawn).toEqual(hops));
  }

  /** Waits until the diagram has this hop. */
  async waitForHop(hop: string): Promise<void> {
    await until(`the diagram has ${hop}`, async () => (await this.#readHops()).includes(hop), PATIENCE);
  }

  async #readHops(): Promise<string[]> {
    const lines = await this.part('diagram').locator('li[data-hop]').all();
    return Promise.all(
      lines.map(async (line) => {
        const [from, to, status] = await Promise.all(
          ['from', 'to', 'status'].map((name) => line.getAttribute(`data-${name}`)),
        );
        return `${from} → ${to} ${status}`;
      }),
    );
  }

  /** Waits for the end of whatever goes on: as long as there is something to stop, it is not over. */
  async finish(): Promise<void> {
    await this.page.getByRole('button', { name: 'Stop', disabled: true }).waitFor();
  }

  async #openWorld(): Promise<void> {
    if (!(await this.part('reset').isVisible())) {
      await this.page.getByRole('heading', { name: 'World' }).click();
    }
  }

  async #change(act: () => Promise<unknown>): Promise<void> {
    const isDone = this.page.waitForResponse((response) => new URL(response.url()).pathname.startsWith('/world/'));
    await act();
    await isDone;
  }
}

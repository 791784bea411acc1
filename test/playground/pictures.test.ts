import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readPorts } from '../../dev/ports.ts';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium, keepsPictures, takePicture } from '../support/chromium.ts';
import { PlaygroundPage } from './playground-page.ts';

const DOCUMENT = readFileSync(new URL('../../docs/playground.md', import.meta.url), 'utf8');

/** What the document quotes of the page stands there, too. */
async function expectQuoted(playground: PlaygroundPage, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    expect(DOCUMENT).toContain(text);
    await playground.page.getByText(text).filter({ visible: true }).first().waitFor();
  }
}

describeWithChromium('the pictures of docs/playground.md (UPDATE_PICTURES=1 keeps them)', (chromium) => {
  let world: DemoWorld;
  beforeEach(async () => {
    // A picture that is kept shows the ports of `npm start`.
    world = await startWorld(keepsPictures() ? { ports: readPorts({}) } : {});
  });
  afterEach(() => world.close());

  it('a challenge, and the retry after it', async () => {
    const playground = await PlaygroundPage.open(chromium, world);
    await playground.signIn('Megan Bowen');
    await playground.call('listMessages');
    await expectQuoted(playground, 'Step up and send again', 'insufficient_claims');
    await playground.waitForHop('gateway → entra 400');
    await takePicture(playground.page, 'challenge');
    await playground.satisfy(['Approve']);
    await playground.waitForHop('gateway → graph 200');
    await takePicture(playground.page, 'stepped-up');
    await expectQuoted(playground, 'Sent through', 'an engine');
    // A fresh token, so that the engine's question costs an exchange.
    await playground.reset();
    await playground.page.getByRole('heading', { name: 'World' }).click();
    await playground.fill('send-through', 'engine');
    await playground.send();
    await playground.waitForHop('engine → graph 200');
    await takePicture(playground.page, 'engine');
  });

  it('an MCP server, and the exchange that it makes itself', async () => {
    const playground = await PlaygroundPage.open(chromium, world);
    await playground.signIn('Megan Bowen');
    await expectQuoted(playground, 'Tools of an MCP server');
    await playground.part('mcp-server').click();
    await playground.finish();
    await playground.waitForHop('mailbox → entra 400');
    await takePicture(playground.page, 'mcp-server');
  });

  it('the world, turned', async () => {
    const playground = await PlaygroundPage.open(chromium, world);
    await playground.signIn('Adele Vance');
    await playground.turn('entra', 'throttled');
    await playground.call('listMessages');
    await expectQuoted(playground, 'World', 'Put everything back');
    await playground.part('switch-entra').scrollIntoViewIfNeeded();
    await takePicture(playground.page, 'world');
  });

  it('a phone in the dark', async () => {
    const playground = await PlaygroundPage.open(chromium, world, {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark',
    });
    await playground.signIn('Megan Bowen');
    await playground.call('listMessages');
    await playground.waitForHop('gateway → entra 400');
    await takePicture(playground.page, 'phone');
  });

  it('native authentication', async () => {
    const page = await chromium.open(`${world.playground.origin}/native.html`);
    await page.getByTestId('native-person').selectOption('Adele Vance');
    await page.getByTestId('native-start').click();
    await page.getByTestId('native-password').fill('demo-password-of-adele');
    await page.getByTestId('native-submit').click();
    await page.getByTestId('diagram').locator('[data-to="graph"]').waitFor();
    await takePicture(page, 'native');
  });

  it('are all shown in the document', () => {
    const shown = [...DOCUMENT.matchAll(/\]\(pictures\/([\w-]+)\.png\)/g)].map(([, name = '']) => name);
    expect(shown.toSorted()).toEqual(['challenge', 'engine', 'mcp-server', 'native', 'phone', 'stepped-up', 'world']);
  });
});

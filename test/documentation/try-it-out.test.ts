import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium } from '../support/chromium.ts';
import { BrowserPage } from './browser-page.ts';

describeWithChromium('/docs of the demo world', (chromium) => {
  let world: DemoWorld;
  beforeAll(async () => {
    world = await startWorld({
      ports: {
        gateway: 8080,
        emulator: 8081,
        management: 27190,
        graph: 27182,
        orders: 27183,
        playground: 27100,
        authorizationService: 27184,
        engine: 27185,
        mailbox: 27186,
      },
    });
  });
  afterAll(() => world.close());

  const open = (): Promise<BrowserPage> => BrowserPage.open(chromium, publicUrlOf(world));

  it('calls an operation for who signs in', async () => {
    const docs = await open();
    expect(await docs.page.title()).toBe('Contoso orders · API documentation');
    await docs.signIn(['Adele Vance']);
    const answer = await docs.tryOut('getProfile');
    expect(await answer.withStatus(200)).toContain('Adele Vance');
  });

  it('shows who did not sign in the challenge and the problem, in words', async () => {
    const docs = await open();
    const answer = await docs.tryOut('getProfile');
    const shown = await answer.withStatus(401);
    expect(shown).toContain('"code": "missing_token"');
    expect(shown).toMatch(/www-authenticate: Bearer realm=""/);
  });

  it('asks Entra for what a challenge wants at the next sign-in', async () => {
    const docs = await open();
    await docs.signIn(['Megan Bowen']);
    expect(await (await docs.tryOut('approvePayout')).withStatus(401)).toContain('"code": "insufficient_claims"');
    await docs.page.getByText('The API asks for a stronger sign-in.').waitFor();
    await docs.signOut();
    await docs.signIn(['Approve']);
    expect(await (await docs.tryOut('approvePayout')).withStatus(202)).toContain('202');
  });

  it('says where calls work when it was opened at another address', async () => {
    const { page } = await BrowserPage.open(chromium, world.gatewayUrl);
    await page.getByText(`Open ${publicUrlOf(world)}/docs to try them.`).waitFor();
  });

  it('asks for the scopes of the operations and for no secret', async () => {
    const docs = await open();
    await docs.openAuthorizations();
    expect(await docs.chosenScopes()).toEqual(
      ['Orders.Read', 'Profile.Read', 'Orders.ReadWrite'].map((name) => `api://${GATEWAY_CLIENT_ID}/${name}`),
    );
    expect(await docs.page.getByLabel('client_id').inputValue()).toMatch(/^8c5f2a17-/);
    expect(await docs.page.getByLabel('client_secret').isVisible()).toBe(false);
  });
});

/** Where the demo world's pages reach the gateway. */
function publicUrlOf({ gatewayUrl }: DemoWorld): string {
  return gatewayUrl.replace('127.0.0.1', 'localhost');
}

import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium } from '../support/chromium.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { answerEntra, giveConsent } from './entra-window.ts';
import { PlaygroundPage } from './playground-page.ts';

const SIGN_IN = ['client → entra 200', 'client → entra 302', 'client → entra 200'];
const STEP_UP = ['client → entra 400', ...SIGN_IN];
const CHALLENGE = ['client → gateway 401', 'gateway → entra 400'];
const GRAPH = ['client → gateway 200', 'gateway → entra 200', 'gateway → graph 200'];
const REFUSED_AT_ENGINE = [
  'client → engine 401',
  'engine → gateway 401',
  'gateway → entra 400',
  'engine → gateway 401',
];
const THROUGH_ENGINE = ['client → engine 200', 'engine → gateway 200', 'gateway → entra 200', 'engine → graph 200'];
const CONNECT = ['client → gateway 200', 'gateway → entra 200', 'gateway → mailbox 200'];
const ORDERS = ['client → gateway 200', 'gateway → entra 200', 'gateway → orders 200'];

describeWithChromium('the playground', (chromium) => {
  let world: DemoWorld;
  let playground: PlaygroundPage;
  beforeEach(async () => {
    world = await startWorld();
    playground = await PlaygroundPage.open(chromium, world);
  });
  afterEach(() => world.close());

  it('shows who signed in and what their token says', async () => {
    await playground.signIn('Adele Vance');
    expect(await playground.part('claims').textContent()).toContain('adele@contoso.com');
  });

  it('takes nothing that is pressed before it can do it', async () => {
    await playground.page.route('**/settings.json', async (route) => {
      await setTimeout(500);
      await route.continue();
    });
    await playground.page.reload();
    await playground.send();
    expect(await playground.answer()).toBe('401 Unauthorized missing_token');
  });

  it('draws the way of a call', async () => {
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('200 OK');
    expect(await playground.body()).toMatchObject({ displayName: 'Adele Vance' });
    await playground.expectHops([...SIGN_IN, ...GRAPH]);
  });

  it('saves the way of a call as a trace that a receiver of OTLP reads', async () => {
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    await playground.expectHops([...SIGN_IN, ...GRAPH]);
    const [download] = await Promise.all([
      playground.page.waitForEvent('download'),
      playground.part('export-trace').click(),
    ]);
    const receiver = await startOtlpReceiver();
    const sent = await fetch(`${receiver.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: await readFile(await download.path()),
    });
    await receiver.close();
    const call = receiver.spans.find(({ name }) => name === 'GET /me');
    const within = receiver.spans.filter(({ parentSpanId }) => parentSpanId === call?.spanId);
    expect([sent.status, download.suggestedFilename(), receiver.spans.length]).toEqual([200, 'journey.otlp.json', 7]);
    expect([call?.resource['service.name'], ...within.map(({ resource }) => resource['service.name'])]).toEqual([
      'gateway',
      'entra',
      'graph',
    ]);
    expect(receiver.spans.every(({ start, end }) => start <= end)).toBe(true);
  });

  it('draws the way of a call through an engine: refused, and after a step-up carried by the engine itself', async () => {
    await playground.fill('send-through', 'engine');
    await playground.signIn('Megan Bowen');
    await playground.call('listMessages');
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    expect(await playground.part('challenge').textContent()).toContain('capolids');
    await playground.expectHops([...SIGN_IN, ...REFUSED_AT_ENGINE]);
    await playground.satisfy(['Approve']);
    expect(await playground.answer()).toBe('200 OK');
    await playground.expectHops([...SIGN_IN, ...REFUSED_AT_ENGINE, ...STEP_UP, ...THROUGH_ENGINE]);
    // A revoked token: the second exchange is refused as well.
    await playground.act('revoke-megan');
    await playground.send();
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    await playground.expectHops([
      'client → engine 401',
      'engine → gateway 200',
      'engine → graph 401',
      'engine → gateway 401',
      'gateway → entra 400',
      'engine → gateway 401',
    ]);
  });

  it('connects to an MCP server, calls a tool, and one that needs a step-up, each with the exchange of the server', async () => {
    await playground.signIn('Megan Bowen');
    await playground.part('mcp-server').click();
    await playground.finish();
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    expect(await playground.part('challenge').textContent()).toContain('capolids');
    const refused = [
      ...CONNECT,
      'client → gateway 401',
      'gateway → mailbox 401',
      'mailbox → entra 400',
      'gateway → entra 400',
    ];
    await playground.expectHops([...SIGN_IN, ...refused]);
    await playground.satisfy(['Approve']);
    expect(await playground.part('challenge').textContent()).toContain('"c1"');
    const again = [
      ...CONNECT,
      'client → gateway 200',
      'gateway → mailbox 200',
      'mailbox → entra 200',
      'mailbox → graph 200',
    ];
    await playground.expectHops([...SIGN_IN, ...refused, ...STEP_UP, ...again, 'client → gateway 401']);
    await playground.satisfy(['Approve']);
    expect(await playground.answer()).toBe('200 OK');
    expect(await playground.part('response-body').textContent()).toContain('Welcome to Contoso');
  });

  it('does not ask Entra again for a token that the gateway holds', async () => {
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    await playground.send();
    await playground.expectHops(['client → gateway 200', 'gateway → graph 200']);
  });

  it('takes a person through MFA with one button, and draws the retry into the same diagram', async () => {
    await playground.signIn('Megan Bowen');
    await playground.call('listMessages');
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    expect(await playground.part('challenge').textContent()).toContain('capolids');
    await playground.expectHops([...SIGN_IN, ...CHALLENGE]);
    await playground.satisfy(['Approve']);
    expect(await playground.answer()).toBe('200 OK');
    await playground.expectHops([...SIGN_IN, ...CHALLENGE, ...STEP_UP, ...GRAPH]);
  });

  it('gets the authentication context that a payout needs', async () => {
    await playground.signIn('Megan Bowen');
    await playground.call('approvePayout');
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    expect(await playground.part('challenge').textContent()).toContain('"c1"');
    await playground.expectHops([...SIGN_IN, 'client → gateway 401']);
    await playground.satisfy(['Approve']);
    expect(await playground.answer()).toBe('202 Accepted');
  });

  it('gets an authentication context without the person where Entra asks nothing for it', async () => {
    await playground.turn('payout-context', 'free');
    await playground.signIn('Adele Vance');
    await playground.call('approvePayout');
    await playground.satisfy();
    expect(await playground.answer()).toBe('202 Accepted');
  });

  it('shows the page where consent is given, and the call works after it', async () => {
    await playground.turn('consent', 'missing');
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('403 Forbidden consent_required');
    await giveConsent(playground.page, () => playground.part('satisfy').click());
    await playground.finish();
    expect(await playground.answer()).toBe('200 OK');
  });

  it('lets a person go on after their sessions were revoked while they worked', async () => {
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    await playground.act('revoke-adele');
    await playground.send();
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    expect(await playground.part('challenge').textContent()).toContain('nbf');
    await playground.satisfy(['Adele Vance']);
    expect(await playground.answer()).toBe('200 OK');
  });

  it('waits as long as Entra asked while it throttles', async () => {
    await playground.signIn('Adele Vance');
    await playground.turn('entra', 'throttled');
    world.emulator.switches.retryAfter = '1';
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('503 Service Unavailable identity_unavailable');
    await playground.turn('entra', 'up');
    await playground.satisfy();
    expect(await playground.answer()).toBe('200 OK');
  });

  it('serves who was served before while Entra is down', async () => {
    await playground.signIn('Adele Vance');
    await playground.call('listOrders');
    await playground.turn('entra', 'down');
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('503 Service Unavailable identity_unavailable');
  });

  it('sends a call many times, counts the answers and draws the last', async () => {
    await playground.signIn('Adele Vance');
    await playground.turn('graph', 'gone');
    await playground.fill('send-as', 'often');
    await playground.call('getProfile');
    await playground.expectHops([...SIGN_IN, 'client → gateway 503']);
    const counts = /\d+ × 502 downstream_unreachable, \d+ × 503 downstream_unavailable; then/;
    expect(await playground.part('diagram').textContent()).toMatch(counts);
  });

  it('calls two services, of which a policy guards the second, and asks for one step-up', async () => {
    await playground.signIn('Megan Bowen');
    await playground.part('both-services').click();
    await playground.finish();
    expect(await playground.answer()).toBe('401 Unauthorized insufficient_claims');
    await playground.satisfy(['Approve']);
    expect(await playground.answer()).toBe('200 OK');
    await playground.expectHops([...SIGN_IN, ...ORDERS, ...CHALLENGE, ...STEP_UP, ...ORDERS, ...GRAPH]);
  });

  it('still knows who is signed in when it is loaded again', async () => {
    await playground.signIn('Adele Vance');
    await playground.page.reload();
    await playground.part('who').getByText('Adele Vance').waitFor();
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('200 OK');
  });

  it('puts everything back to rest', async () => {
    await playground.turn('graph', 'broken');
    await playground.turn('consent', 'missing');
    await playground.reset();
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('200 OK');
  });

  it('signs out here and at Entra', async () => {
    await playground.signIn('Adele Vance');
    await playground.signOut();
    expect(await playground.part('who').textContent()).toBe('Nobody');
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('401 Unauthorized missing_token');
    await playground.satisfy(['Adele Vance']);
    expect(await playground.answer()).toBe('200 OK');
  });

  it.each(['Rafael Revoked', 'Gustav Guest'])('%s signs in', async (name) => {
    await playground.signIn(name);
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('200 OK');
  });

  it('lets a person who closed the window of Entra begin again', async () => {
    await playground.part('person').selectOption('Adele Vance');
    const [popup] = await Promise.all([playground.page.waitForEvent('popup'), playground.part('sign-in').click()]);
    await popup.close();
    await playground.part('live').getByText('The window of Entra was closed before it had an answer.').waitFor();
    await playground.signIn('Adele Vance');
    await playground.call('getProfile');
    expect(await playground.answer()).toBe('200 OK');
  });

  it.each([
    { what: 'a step-up', user: 'Megan Bowen', policy: undefined, operation: 'listMessages', buttons: ['Approve'] },
    { what: 'consent', user: 'Adele Vance', policy: ['consent', 'missing'] as const, operation: 'getProfile' },
  ])('closes the window of Entra when $what is stopped, and asks again when it is wanted', async (story) => {
    if (story.policy) {
      await playground.turn(...story.policy);
    }
    await playground.signIn(story.user);
    await playground.call(story.operation);
    const satisfy = (): Promise<void> => playground.part('satisfy').click();
    const [popup] = await Promise.all([playground.page.waitForEvent('popup'), satisfy()]);
    await Promise.all([popup.waitForEvent('close'), playground.part('stop').click()]);
    await playground.part('live').getByText('You stopped it.').waitFor();
    await (story.buttons ? answerEntra : giveConsent)(playground.page, satisfy, story.buttons ?? []);
    await playground.finish();
    expect(await playground.answer()).toBe('200 OK');
  });

  it('stops waiting for an API that says nothing', async () => {
    await playground.signIn('Adele Vance');
    await playground.turn('graph', 'hang');
    await playground.part('send').click();
    await playground.part('stop').click();
    await playground.finish();
    expect(await playground.part('live').textContent()).toContain('got no answer');
    await playground.turn('graph', 'well');
    await playground.send();
    expect(await playground.answer()).toBe('200 OK');
  });

  it('does not take a problem document of the API for one of the gateway', async () => {
    Object.assign(world.orders.trouble, { status: 409, headers: { 'content-type': 'application/problem+json' } });
    await playground.signIn('Adele Vance');
    await playground.call('listOrders');
    expect(await playground.answer()).toBe('409 Conflict');
    expect(await playground.page.locator('#meaning').textContent()).toContain('not the gateway’s refusal');
  });

  it('tells why a person cannot sign in', async () => {
    await playground.part('person').selectOption('Bianca Blocked');
    await answerEntra(playground.page, () => playground.part('sign-in').click(), ['Bianca Blocked']);
    await playground.part('live').getByText('The account is disabled.').waitFor();
    expect(await playground.part('who').textContent()).toBe('Nobody');
  });
});

import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { describeWithChromium } from '../support/chromium.ts';
import { PlaygroundPage } from './playground-page.ts';

/** One row of the table of answers, and what a person does on the page to meet it. */
interface Row {
  readonly what: string;
  readonly answer: string;
  /** What the one button says, or begins with; default: there is no button. */
  readonly button?: string;
  readonly turn?: readonly [id: string, position: string];
  /** Default: `getProfile`. */
  readonly operation?: string;
  /** What is written or chosen in the fields of the form, by test id. */
  readonly fields?: Readonly<Record<string, string>>;
}

const ROWS: readonly Row[] = [
  {
    what: 'no token',
    fields: { 'send-as': 'none' },
    answer: '401 Unauthorized missing_token',
    button: 'Get a fresh token and send again',
  },
  {
    what: 'a token in the query',
    fields: { 'send-as': 'query' },
    answer: '401 Unauthorized missing_token',
    button: 'Get a fresh token and send again',
  },
  { what: 'two tokens', fields: { 'send-as': 'twice' }, answer: '400 Bad Request invalid_request' },
  {
    what: 'a changed token',
    fields: { 'send-as': 'broken' },
    answer: '401 Unauthorized invalid_token',
    button: 'Get a fresh token and send again',
  },
  {
    what: 'interaction without claims',
    turn: ['exchange', 'no-claims'],
    answer: '401 Unauthorized interaction_required',
    button: 'Sign in and send again',
  },
  { what: 'a policy that blocks', turn: ['exchange', 'blocked'], answer: '403 Forbidden access_denied' },
  { what: 'a person not assigned', turn: ['exchange', 'not-assigned'], answer: '403 Forbidden access_denied' },
  {
    what: 'a revoked grant',
    turn: ['exchange', 'grant-revoked'],
    answer: '401 Unauthorized invalid_token',
    button: 'Get a fresh token and send again',
  },
  {
    what: 'a device policy',
    turn: ['exchange', 'device'],
    answer: '401 Unauthorized insufficient_claims',
    button: 'Step up and send again',
  },
  {
    what: 'a missing consent',
    turn: ['consent', 'missing'],
    answer: '403 Forbidden consent_required',
    button: 'Give consent and send again',
  },
  {
    what: 'an expired secret of the gateway',
    turn: ['exchange', 'secret-expired'],
    answer: '500 Internal Server Error gateway_misconfigured',
  },
  {
    what: 'Entra that throttles',
    turn: ['entra', 'throttled'],
    answer: '503 Service Unavailable identity_unavailable',
    button: 'Wait 10 s and send again',
  },
  {
    what: 'Entra that is down',
    turn: ['entra', 'down'],
    answer: '503 Service Unavailable identity_unavailable',
    button: 'Wait 1',
  },
  {
    what: 'Entra that hangs',
    turn: ['entra', 'hang'],
    answer: '503 Service Unavailable identity_unavailable',
    button: 'Wait 1',
  },
  { what: 'Entra that is slow', turn: ['entra', 'slow'], answer: '200 OK' },
  {
    what: 'a client that is not on the list',
    fields: { 'send-as': 'stranger' },
    answer: '403 Forbidden access_denied',
  },
  { what: 'a slow API', turn: ['graph', 'slow'], answer: '200 OK' },
  { what: 'an API that hangs', turn: ['graph', 'hang'], answer: '504 Gateway Timeout downstream_timeout' },
  { what: 'a broken API', turn: ['graph', 'broken'], answer: '502 Bad Gateway downstream_unreachable' },
  {
    what: 'an API that is gone',
    turn: ['graph', 'gone'],
    answer: '502 Bad Gateway downstream_unreachable',
  },
  {
    what: 'an API that was gone 50 times',
    turn: ['graph', 'gone'],
    fields: { 'send-as': 'often' },
    answer: '503 Service Unavailable downstream_unavailable',
    button: 'Wait ',
  },
  {
    what: 'an API that rejects our token',
    turn: ['graph', 'rejects'],
    answer: '502 Bad Gateway downstream_rejected_token',
  },
  {
    what: 'an API that is never satisfied',
    turn: ['graph', 'insatiable'],
    answer: '401 Unauthorized insufficient_claims',
    button: 'Step up and send again',
  },
  { what: 'a path that is not in the contract', operation: 'anything-else', answer: '404 Not Found not_found' },
  {
    what: 'a method that is not in the contract',
    operation: 'anything-else',
    fields: { 'free-method': 'PATCH', 'free-path': '/orders' },
    answer: '405 Method Not Allowed method_not_allowed',
  },
  {
    what: 'a bad parameter',
    operation: 'listMessages',
    fields: { 'parameter-$top': 'many' },
    answer: '400 Bad Request invalid_request',
  },
  {
    what: 'a bad body',
    operation: 'createOrder',
    fields: { body: '{"customer":""}' },
    answer: '400 Bad Request invalid_request',
  },
  {
    what: 'a body that is too large',
    operation: 'attachFile',
    fields: { 'body-size': '3072' },
    answer: '413 Payload Too Large payload_too_large',
  },
  { what: 'a large body', operation: 'attachFile', fields: { 'body-size': '100' }, answer: '200 OK' },
  {
    what: 'headers that are too large',
    fields: { 'send-as': 'large' },
    answer: '431 Request Header Fields Too Large headers_too_large',
  },
  {
    what: 'an answer of the API itself',
    operation: 'getOrder',
    fields: { 'parameter-orderId': '00000000-0000-4000-8000-000000000000' },
    answer: '404 Not Found',
  },
  { what: 'an operation for everybody', operation: 'getStatus', fields: { 'send-as': 'none' }, answer: '200 OK' },
];

describeWithChromium('the playground meets', (chromium) => {
  let world: DemoWorld;
  let playground: PlaygroundPage;
  beforeEach(async () => {
    world = await startWorld();
    playground = await PlaygroundPage.open(chromium, world);
  });
  afterEach(() => world.close());

  it.each(ROWS)('$what: $answer', async ({ turn, operation = 'getProfile', fields = {}, answer, button }) => {
    await playground.signIn('Adele Vance');
    if (turn) {
      await playground.turn(...turn);
    }
    await playground.part('operation').selectOption(operation);
    for (const [id, value] of Object.entries(fields)) {
      await playground.fill(id, value);
    }
    await playground.send();
    expect(await playground.answer()).toBe(answer);
    expect(await playground.remedy()).toMatch(button ?? /^$/);
  });

  it('a token that lacks a permission: 403 insufficient_scope, until the person gives it', async () => {
    await playground.page.getByText('Permissions asked for').click();
    await playground.part('scope-Orders.ReadWrite').uncheck();
    await playground.signIn('Adele Vance');
    await playground.call('createOrder');
    expect(await playground.answer()).toBe('403 Forbidden insufficient_scope');
    await playground.satisfy();
    expect(await playground.answer()).toBe('201 Created');
  });

  it('a challenge that nothing satisfies: 403 step_up_unsatisfiable in the end', async () => {
    await playground.signIn('Adele Vance');
    await playground.turn('graph', 'insatiable');
    await playground.call('getProfile');
    // Tokens of one second are equally new.
    while ((await playground.answer()).startsWith('401')) {
      await playground.satisfy();
    }
    expect(await playground.answer()).toBe('403 Forbidden step_up_unsatisfiable');
  });
});

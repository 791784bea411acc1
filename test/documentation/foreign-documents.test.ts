import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithChromium } from '../support/chromium.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { startGatewayWorld, type GatewayWorld } from '../support/gateway-world.ts';
import { BrowserPage } from './browser-page.ts';

const PWN = 'window.__ran = true';
const HOSTILE = [
  `<script>${PWN}</script>`,
  `<img src="data:," onerror="${PWN}">`,
  `<svg onload="${PWN}"><script>${PWN}</script></svg>`,
  `<iframe srcdoc="<script>parent.${PWN}</script>"></iframe>`,
  `<a class="trap" href="javascript:${PWN}">HTML link</a>`,
  `<details open ontoggle="${PWN}">more</details>`,
  `[Markdown link](javascript:${PWN})`,
  `[Data link](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)`,
  `<form action="javascript:${PWN}"><button>Send</button></form>`,
  `<base href="https://evil.example/">`,
  `<math><mtext><table><mglyph><style><img src="data:," onerror="${PWN}"></style></mglyph></table></mtext></math>`,
].join('\n\n');
const TRAP = 'javascript:window.__ran=true';

const hostile = {
  openapi: '3.1.0',
  info: {
    title: `Hostile ${HOSTILE}`,
    summary: HOSTILE,
    version: HOSTILE,
    description: HOSTILE,
    termsOfService: TRAP,
    contact: { name: HOSTILE, url: TRAP, email: `x@x.example"onclick="${PWN}` },
    license: { name: HOSTILE, url: TRAP },
  },
  externalDocs: { description: HOSTILE, url: TRAP },
  tags: [{ name: HOSTILE, description: HOSTILE, externalDocs: { url: TRAP } }],
  paths: {
    '/hostile': {
      get: {
        operationId: 'readHostile',
        tags: [HOSTILE],
        summary: HOSTILE,
        description: HOSTILE,
        externalDocs: { url: TRAP, description: HOSTILE },
        security: [{ user: [] }],
        parameters: [
          { name: HOSTILE, in: 'query', description: HOSTILE, schema: { type: 'string', description: HOSTILE } },
        ],
        responses: {
          '200': {
            description: HOSTILE,
            content: { 'text/html': { schema: { $ref: '#/components/schemas/Hostile' }, example: HOSTILE } },
          },
        },
      },
    },
  },
  components: {
    schemas: { Hostile: { title: HOSTILE, description: HOSTILE, type: 'string', default: HOSTILE, enum: [HOSTILE] } },
    securitySchemes: {
      user: {
        type: 'oauth2',
        description: HOSTILE,
        flows: { authorizationCode: { authorizationUrl: TRAP, tokenUrl: TRAP, scopes: { [HOSTILE]: HOSTILE } } },
      },
    },
  },
};

const plain = {
  openapi: '3.0.3',
  info: { title: 'Plain', version: '1' },
  paths: { '/plain': { get: { operationId: 'readPlain', responses: { '200': { description: 'Any.' } } } } },
  security: [{ bearer: [] }],
  components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
};

describeWithChromium('/docs of documents that others wrote', (chromium) => {
  let world: GatewayWorld;
  beforeAll(async () => {
    world = await startGatewayWorld({
      server: { docs: true },
      contract: [
        { document: { ...plain, openapi: '3.2.0', info: { title: 'First', version: '1' } }, downstream: 'api' },
        { document: plain, prefix: '/plain', downstream: 'api' },
        { document: hostile, prefix: '/hostile', downstream: 'api' },
      ],
    });
  });
  afterAll(() => world.close());

  it('lets people choose among them, and paste a token', async () => {
    const docs = await BrowserPage.open(chromium, world.url);
    await docs.page.getByText('OAS 3.2').waitFor();
    await docs.page.getByLabel('Document').selectOption({ label: 'Plain' });
    await docs.page.getByRole('heading', { name: /^Plain/ }).waitFor();
    await docs.paste(world.token('adele'));
    world.downstream.answer = answerWith(200, ['content-type', 'application/json'], '{"found":"it"}');
    expect(await (await docs.tryOut('readPlain')).withStatus(200)).toContain('"found": "it"');
  });

  it('runs nothing of a document, whatever it holds and whatever is pressed', async () => {
    const docs = await BrowserPage.open(chromium, world.url, {
      path: '/docs?document=/hostile/openapi.json',
      isAttacked: true,
    });
    await docs.page.locator('.opblock-summary-control').click();
    await docs.page.locator('.opblock-body').waitFor();
    const addresses = await docs.page.locator('a[href]').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    expect(addresses.filter((address) => /^\s*(javascript|data):/i.test(address ?? ''))).toEqual([]);
    world.downstream.answer = answerWith(200, ['content-type', 'text/html'], HOSTILE);
    await docs.paste(world.token('adele'));
    await (await docs.tryOut('readHostile')).withStatus(200);
    expect(await docs.page.evaluate('window.__ran')).toBeUndefined();
  });
});

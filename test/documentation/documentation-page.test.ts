import { afterAll, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { readProblem, startGatewayWorld } from '../support/gateway-world.ts';

const PAGE_CLIENT_ID = '8c5f2a17-6d3e-4b90-a2f8-1e7c9b04d356';
const off = await startGatewayWorld();
const emulator = off.emulator;
const on = await startGatewayWorld({ emulator, server: { docs: true } });
const withSignIn = await startGatewayWorld({
  emulator,
  server: { docs: { clientId: PAGE_CLIENT_ID.toUpperCase() }, publicUrl: 'https://api.contoso.com/base' },
});
afterAll(async () => {
  await withSignIn.close();
  await on.close();
  await off.close();
});

const FILES = [
  ['/docs', 'text/html; charset=utf-8'],
  ['/docs/page.js', 'text/javascript; charset=utf-8'],
  ['/docs/adapt-document.js', 'text/javascript; charset=utf-8'],
  ['/docs/page.css', 'text/css; charset=utf-8'],
  ['/docs/icon.svg', 'image/svg+xml'],
  ['/docs/settings.json', 'application/json'],
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
  ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['/docs/oauth2-redirect.html', 'text/html; charset=utf-8'],
  ['/docs/oauth2-redirect.js', 'text/javascript; charset=utf-8'],
];

describe('the documentation page', () => {
  it.each(FILES)('is off unless gateway.yaml says so: %s', async (path) => {
    const response = await off.call(path);
    expect([response.status, (await readProblem(response)).code]).toEqual([404, 'not_found']);
  });

  it.each(FILES)('has %s', async (path, mediaType) => {
    const response = await on.call(path);
    const body = Buffer.from(await response.arrayBuffer());
    expect([response.status, response.headers.get('content-type')]).toEqual([200, mediaType]);
    expect(response.headers.get('content-length')).toBe(String(body.length));
    expect(body.length).toBeGreaterThan(50);
  });

  it.each([
    '/docs/index.html',
    '/docs/package.json',
    '/docs/tsconfig.json',
    '/docs/swagger-ui.js',
    '/docs/page',
    '/docs/../docs/page.js/',
    '/docs/%2e%2e/page.js',
    '/docs/page.js/../../../../package.json',
    '/docs/__proto__',
    '/DOCS',
  ])('has nothing else, such as %s', async (path) => {
    expect((await on.call(path)).status).toBe(404);
  });

  it('loads nothing that it does not have', async () => {
    const html = await (await on.call('/docs')).text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => `/${address}`);
    expect(loaded.filter((path) => !FILES.some(([known]) => known === path))).toEqual([]);
    expect(html).not.toMatch(/<script>|<style|style=|\son\w+=/);
  });

  it('is where people expect it who write a slash at the end', async () => {
    const response = await on.call('/docs/');
    expect([response.status, response.headers.get('location')]).toEqual([308, '../docs']);
  });

  it.each(['/docs', '/docs/', '/docs/page.js'])('%s has GET and HEAD, and no other method', async (path) => {
    const head = await on.call(path, { method: 'HEAD' });
    const post = await on.call(path, { method: 'POST', body: 'x' });
    expect([head.ok || head.status === 308, await head.text()]).toEqual([true, '']);
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('what a browser keeps of it', () => {
  it.each([
    { what: 'the same tag', tags: (etag: string) => etag, status: 304 },
    { what: 'the same tag, weakened on its way', tags: (etag: string) => `W/${etag}`, status: 304 },
    { what: 'one of several tags', tags: (etag: string) => `"other", ${etag}`, status: 304 },
    { what: 'any', tags: () => '*', status: 304 },
    { what: 'another tag', tags: () => '"other"', status: 200 },
  ])('is asked for again with $what: $status', async ({ tags, status }) => {
    const first = await on.call('/docs/swagger-ui.css');
    await first.text();
    const etag = first.headers.get('etag') ?? '';
    expect([etag, first.headers.get('cache-control')]).toEqual([expect.stringMatching(/^"[\w-]{43}"$/), 'no-cache']);
    const second = await on.call('/docs/swagger-ui.css', { headers: { 'if-none-match': tags(etag) } });
    expect([second.status, second.headers.get('etag')]).toEqual([status, etag]);
    expect((await second.text()) === '').toBe(status === 304);
  });
});

describe('what a browser lets it do', () => {
  it('runs nothing but its own scripts, talks to nobody but us and Entra, and is in no frame', async () => {
    const response = await on.call('/docs');
    expect(response.headers.get('content-security-policy')?.split(';')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ${emulator.origin}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(
      ['x-content-type-options', 'referrer-policy', 'cross-origin-resource-policy', 'strict-transport-security'].map(
        (name) => response.headers.get(name),
      ),
    ).toEqual(['nosniff', 'no-referrer', 'same-origin', null]);
  });

  it.each([
    ['/docs', 'same-origin-allow-popups'],
    ['/docs/oauth2-redirect.html', null],
  ])('%s opens the window of the sign-in, or is what it ends on', async (path, policy) => {
    expect((await on.call(path)).headers.get('cross-origin-opener-policy')).toBe(policy);
  });

  it('insists on https where the public address has it', async () => {
    expect((await withSignIn.call('/docs')).headers.get('strict-transport-security')).toMatch(/^max-age=/);
  });
});

describe('what the page is told', () => {
  it('where it is and what there is to read', async () => {
    expect(await (await on.call('/docs/settings.json')).json()).toEqual({
      publicUrl: on.url,
      documents: [{ title: 'Tests', path: '/openapi.json' }],
    });
  });

  it('with an app registration, how people sign in', async () => {
    expect(await (await withSignIn.call('/docs/settings.json')).json()).toEqual({
      publicUrl: 'https://api.contoso.com/base',
      documents: [{ title: 'Tests', path: '/openapi.json' }],
      signIn: {
        clientId: PAGE_CLIENT_ID,
        authorizationUrl: `${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/authorize`,
        tokenUrl: `${emulator.origin}/${HOME_TENANT_ID}/oauth2/v2.0/token`,
        resource: `api://${GATEWAY_CLIENT_ID}`,
      },
    });
  });
});

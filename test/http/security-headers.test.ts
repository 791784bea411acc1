import { afterAll, describe, expect, it } from '@jest/globals';
import { answerWith } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest, type RawResponse } from '../support/raw-request.ts';

const plain = await startGatewayWorld();
const secure = await startGatewayWorld({ emulator: plain.emulator, server: { publicUrl: 'https://api.contoso.com' } });
afterAll(async () => {
  await secure.close();
  await plain.close();
});

const own = [
  { what: 'a challenge', lines: ['GET /me HTTP/1.1', 'Host: x'] },
  { what: 'a wrong path', lines: ['GET /nowhere HTTP/1.1', 'Host: x'] },
  { what: 'a failure of the downstream', lines: ['GET /gone HTTP/1.1', 'Host: x'] },
  { what: 'the contract', lines: ['GET /openapi.json HTTP/1.1', 'Host: x'] },
  { what: 'the metadata', lines: ['GET /.well-known/oauth-protected-resource HTTP/1.1', 'Host: x'] },
  { what: 'bytes that are no request', lines: ['GARBAGE'] },
  { what: 'too large headers', lines: ['GET /open HTTP/1.1', 'Host: x', `X: ${'x'.repeat(17_000)}`] },
];
const CSP = "default-src 'none';frame-ancestors 'none'";

function send(world: typeof plain, lines: readonly string[]): Promise<RawResponse> {
  return rawRequest(world.port, lines);
}

describe('which security headers does an answer carry', () => {
  it.each(own)('of our own, to $what: nosniff, no page, no referrer', async ({ lines }) => {
    const response = await send(plain, lines);
    expect([
      response.all('x-content-type-options'),
      response.all('content-security-policy'),
      response.all('referrer-policy'),
    ]).toEqual([['nosniff'], [CSP], ['no-referrer']]);
  });

  it('of a downstream: nosniff, and its own rules for its own pages', async () => {
    const policy = "default-src 'self'";
    plain.downstream.answer = answerWith(200, ['content-security-policy', policy]);
    const withRules = await send(plain, ['GET /open HTTP/1.1', 'Host: x']);
    plain.downstream.reset();
    const without = await send(plain, ['GET /open HTTP/1.1', 'Host: x']);
    expect([withRules.all('x-content-type-options'), withRules.all('content-security-policy')]).toEqual([
      ['nosniff'],
      [policy],
    ]);
    expect([without.all('x-content-type-options'), without.all('content-security-policy')]).toEqual([['nosniff'], []]);
  });

  it.each([...own, { what: 'a forwarded call', lines: ['GET /open HTTP/1.1', 'Host: x'] }])(
    'to $what: browsers insist on https where the public address is https, and only there',
    async ({ lines }) => {
      const overHttps = await send(secure, lines);
      const overHttp = await send(plain, lines);
      expect([overHttps.all('strict-transport-security'), overHttp.all('strict-transport-security')]).toEqual([
        [expect.stringMatching(/^max-age=\d{7,}/)],
        [],
      ]);
    },
  );

  it('what a downstream says too is not said twice', async () => {
    secure.downstream.answer = answerWith(200, [
      'x-content-type-options',
      'nosniff',
      'strict-transport-security',
      'max-age=0',
    ]);
    const response = await send(secure, ['GET /open HTTP/1.1', 'Host: x']);
    // Of two, browsers take the first (RFC 6797 §8.1), and that would be the downstream's.
    expect([response.all('x-content-type-options').length, response.all('strict-transport-security')]).toEqual([
      1,
      [expect.not.stringContaining('max-age=0')],
    ]);
  });

  it('nobody says what the gateway is made of', async () => {
    const response = await send(plain, ['GET /me HTTP/1.1', 'Host: x']);
    expect([response.all('server'), response.all('x-powered-by')]).toEqual([[], []]);
  });
});

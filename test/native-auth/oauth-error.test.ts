import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerWith } from '../support/gateway-downstream.ts';
import { form, INITIATE, PAGE_LINES, startNativeAuthWorld, TOKEN } from './native-auth-world.ts';

const world = await startNativeAuthWorld({ nativeAuth: { rateLimit: { requests: 4 } } });
afterAll(() => world.close());
beforeEach(() => world.reset());

const RENEWAL = form({ grant_type: 'refresh_token', refresh_token: 'r' });

describe('a refusal of the gateway itself', () => {
  it.each<[what: string, status: number, error: string, send: () => ReturnType<typeof world.post>]>([
    ['a query', 400, 'invalid_request', () => world.post(`${INITIATE}?dc=1`, form({}))],
    ['a page of somebody else', 403, 'access_denied', () => world.post(TOKEN, RENEWAL, { lines: PAGE_LINES.slice(1) })],
    ['no such path', 404, 'invalid_request', () => world.post('/native-auth/oauth2/token', RENEWAL)],
    ['an outage of Entra', 503, 'temporarily_unavailable', () => world.post(TOKEN, RENEWAL)],
    ['too many requests', 429, 'temporarily_unavailable', postTooOften],
  ])(
    'for %s says so in the words of a token endpoint too, because MSAL reads no others',
    async (_, status, error, send) => {
      world.entra.answer = answerWith(503, [], 'down');
      const response = await send();
      const problem = JSON.parse(response.body) as Record<string, unknown>;
      expect([response.status, problem['error'], problem['error_description']]).toEqual([
        status,
        error,
        problem['detail'],
      ]);
    },
  );

  it('for an operation of the API does not', async () => {
    const { body } = await world.post('/nowhere', RENEWAL);
    expect(JSON.parse(body)).not.toHaveProperty('error');
  });
});

async function postTooOften(): ReturnType<typeof world.post> {
  let response = await world.post(TOKEN, RENEWAL);
  for (let sent = 1; sent < 6; sent += 1) {
    response = await world.post(TOKEN, RENEWAL);
  }
  return response;
}

import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { answerPlainly } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';

function operation(service: string, more: object): object {
  return { security: [], 'x-downstream': { service }, responses: { default: { description: 'Any.' } }, ...more };
}

const json = { requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } };

const world = await startGatewayWorld({
  server: { bodyLimit: '1kb' },
  contract: [
    {
      document: {
        openapi: '3.1.0',
        info: { title: 'Limits', version: '1' },
        paths: {
          '/quick': { get: operation('api', { 'x-timeout': '500ms' }) },
          '/patient': { get: operation('hasty', { 'x-timeout': { response: '1m' } }) },
          '/endless': { get: operation('hasty', { 'x-gateway': { timeout: 'none' } }) },
          '/usual': { post: operation('api', json) },
          '/small': {
            post: operation('api', { ...json, 'x-body-limit': '10b' }),
            put: operation('api', { 'x-body-limit': '10b' }),
          },
          '/large': {
            post: operation('api', { ...json, 'x-body-limit': '64kb' }),
            put: operation('api', { 'x-body-limit': '64kb' }),
          },
        },
      },
    },
  ],
});
afterAll(() => world.close());
beforeEach(() => world.downstream.reset());

describe('x-timeout counts in the place of the downstream’s', () => {
  it('where it is shorter', async () => {
    world.downstream.answer = () => undefined;
    expect((await world.call('/quick')).status).toBe(504);
  });

  it.each(['/patient', '/endless'])('where it is longer: %s', async (path) => {
    world.downstream.answer = async (...exchange) => {
      // Longer than the downstream has, with what undici's timers are late by.
      await setTimeout(2_000);
      return answerPlainly(...exchange);
    };
    expect((await world.call(path)).status).toBe(200);
  });
});

describe('x-body-limit counts in the place of the server’s', () => {
  const body = JSON.stringify({ text: 'a'.repeat(2_000) });

  it.each([
    ['POST', '/usual', body, 413],
    ['POST', '/small', '{"a":"bcdef"}', 413],
    ['PUT', '/small', '{"a":"bcdef"}', 413],
    ['POST', '/large', body, 200],
    ['PUT', '/large', body, 200],
  ])('%s %s', async (method, path, sent, status) => {
    const response = await world.call(path, { method, body: sent, headers: { 'content-type': 'application/json' } });
    expect(response.status).toBe(status);
  });
});

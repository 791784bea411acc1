import { afterAll, describe, expect, it } from '@jest/globals';
import { codeOf, form, INITIATE, ORIGIN, PAGE_LINES, startNativeAuthWorld } from './native-auth-world.ts';

const MINUTE = 60_000;

describe('the limit of each address', () => {
  const started = startNativeAuthWorld({
    server: { trustedProxies: ['127.0.0.1'] },
    nativeAuth: { rateLimit: { requests: 2, per: '1h' } },
  });
  afterAll(async () => (await started).close());

  it('each client behind a trusted proxy is counted, and told when to come back', async () => {
    const world = await started;
    const ask = (address: string): ReturnType<typeof world.post> =>
      world.post(INITIATE, form({ username: 'a' }), { lines: [...PAGE_LINES, `X-Forwarded-For: ${address}`] });
    const statuses = [];
    for (const address of ['192.0.2.1', '203.0.113.9, 192.0.2.1', '192.0.2.2']) {
      statuses.push((await ask(address)).status);
    }
    const refused = await ask('192.0.2.1');
    expect([statuses, refused.status, codeOf(refused), refused.header('access-control-allow-origin')]).toEqual([
      [200, 200, 200],
      429,
      'too_many_requests',
      ORIGIN,
    ]);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(1_700);
    world.advance(30 * MINUTE);
    expect([(await ask('192.0.2.1')).status, (await ask('192.0.2.1')).status]).toEqual([200, 429]);
  });

  it('what is refused before Entra could be asked is counted, preflights are not', async () => {
    const world = await started;
    const lines = [...PAGE_LINES, 'X-Forwarded-For: 192.0.2.3'];
    const statuses = [];
    for (const method of ['OPTIONS', 'OPTIONS', 'OPTIONS', 'POST', 'POST', 'POST']) {
      statuses.push((await world.post(INITIATE, '', { method, lines })).status);
    }
    expect(statuses).toEqual([204, 204, 204, 400, 400, 429]);
  });
});

import { afterAll, describe, expect, it } from '@jest/globals';
import { compileFixedQuery } from '../../src/forward/fixed-query.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { rawRequest } from '../support/raw-request.ts';

const world = await startGatewayWorld({ api: { query: { 'api-version': '2024-11-04', 'a&b': 'ü =' } } });
const { downstream } = world;
afterAll(() => world.close());

const FIXED = 'api-version=2024-11-04&a%26b=%C3%BC%20%3D';

describe('what becomes of the query where gateway.yaml has fixed parameters', () => {
  it.each([
    ['', `?${FIXED}`],
    ['?', `?${FIXED}`],
    ['?x=1', `?x=1&${FIXED}`],
    ['?api-version=1999', `?${FIXED}`],
    ['?x=1&api-version=1999&y=%2f&api-version', `?x=1&y=%2f&${FIXED}`],
    ['?api%2Dversion=1999&%61pi-version=1', `?${FIXED}`],
    ['?a%26b=1&a&b=2', `?a&b=2&${FIXED}`],
    ['??api-version=1', `??api-version=1&${FIXED}`],
    ['?api-version2=1&x=api-version&API-VERSION=1', `?api-version2=1&x=api-version&API-VERSION=1&${FIXED}`],
    ['?a==&&b=c+d&%zz=%', `?a==&&b=c+d&%zz=%&${FIXED}`],
  ])('%s becomes %s', async (sent, received) => {
    await rawRequest(world.port, [`GET /open${sent} HTTP/1.1`, 'Host: x']);
    expect(downstream.last.url).toBe(`/open${received}`);
  });

  it('they are added to the path of the operation’s own downstream path too', async () => {
    await rawRequest(world.port, ['POST /search?q=1 HTTP/1.1', 'Host: x', 'Content-Length: 0']);
    expect([downstream.last.method, downstream.last.url]).toEqual(['GET', `/base/find?q=1&${FIXED}`]);
  });

  it('without any, nothing is compiled', () => {
    expect(compileFixedQuery({})).toBeUndefined();
  });
});

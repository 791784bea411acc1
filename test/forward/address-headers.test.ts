import { describe, expect, it } from '@jest/globals';
import { holdsAddress, rewriteAddresses } from '../../src/forward/address-headers.ts';
import { answerWith } from '../support/gateway-downstream.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';

function rewrite(address: string): string | undefined {
  return address.startsWith('/own/')
    ? address.replace('/own/', 'https://us/')
    : address.startsWith('/')
      ? undefined
      : address;
}

function rewriteOne(name: string, value: string): readonly string[] {
  return rewriteAddresses([name, value], rewrite);
}

describe('a header with one address', () => {
  it.each(['Location', 'location', 'Content-Location', 'Operation-Location', 'Azure-AsyncOperation'])('%s', (name) => {
    expect(holdsAddress(['date', 'now', name, 'x'])).toBe(true);
    expect(rewriteOne(name, '/own/a')).toEqual([name, 'https://us/a']);
    expect(rewriteOne(name, '/a')).toEqual([]);
    expect(rewriteOne(name, 'https://other/a')).toEqual([name, 'https://other/a']);
  });

  it.each(['Date', 'Vary', 'ETag', 'Content-Encoding', 'X-Location', 'Refresh'])('is not %s', (name) => {
    expect(holdsAddress([name, '/own/a'])).toBe(false);
  });
});

describe('a Link header', () => {
  it.each([
    ['</own/2>; rel="next"', '<https://us/2>; rel="next"'],
    ['</own/2>;rel=next,<https://x/>;rel=help', '<https://us/2>;rel=next, <https://x/>;rel=help'],
    ['</2>; rel=next, </own/3>; rel=last', '<https://us/3>; rel=last'],
    ['</own/2>; title="a, </own/b>; \\", c"; rel=next', '<https://us/2>; title="a, </own/b>; \\", c"; rel=next'],
    ['</own/a,b>', '<https://us/a,b>'],
    ['< /own/2 >', '<https://us/2>'],
    [' , ,</own/2> , ,', '<https://us/2>'],
    ['</own/2>; title="never closed, </own/3>', '<https://us/2>; title="never closed, </own/3>'],
    ['words, </own/2>', '<https://us/2>'],
  ])('%s becomes %s', (before, after) => {
    expect(rewriteOne('Link', before)).toEqual(['Link', after]);
  });

  it.each(['</2>; rel=next', '</own/2', 'words', '', ',,,', '>', '<'])('goes when nothing is left of %j', (line) => {
    expect(rewriteOne('Link', line)).toEqual([]);
  });

  it.each([
    ['links', '</own/2>,'],
    ['empty targets', '<>,'],
    ['open quotes', '</own/2>;a="'],
    ['commas', ','],
    ['brackets', '<'],
    ['words', 'a,'],
  ])('of 64 kB of %s is read in no time', (_what, piece) => {
    let asked = 0;
    rewriteAddresses(['link', piece.repeat(65_536 / piece.length)], (address) => {
      asked += 1;
      return address;
    });
    expect(asked).toBeLessThanOrEqual(250);
  });
});

describe('the address of another operation in an answer', () => {
  it('is public, relative or absolute; what no operation leads to is not there', async () => {
    const world = await startGatewayWorld();
    const theirs = `http://127.0.0.1:${world.downstream.port}`;
    world.downstream.answer = answerWith(201, [
      'Location',
      `${theirs}/static/a/b?x=1`,
      'Content-Location',
      '/v1.0/me',
      'Operation-Location',
      `${theirs}/things/9`,
      'Azure-AsyncOperation',
      `${theirs}/operations/9`,
      'Link',
      `<${theirs}/static/2>; rel="next", <https://docs.example/>; rel="help", </nowhere>; rel="up"`,
      'Link',
      '<page/2>; rel=last',
    ]);
    const { headers } = await world.call('/files/start?page=1');
    await world.close();
    expect(
      ['location', 'content-location', 'operation-location', 'azure-asyncoperation', 'link'].map((name) =>
        headers.get(name),
      ),
    ).toEqual([
      `${world.url}/files/a/b?x=1`,
      '/me',
      `${world.url}/things/9`,
      null,
      `<${world.url}/files/2>; rel="next", <https://docs.example/>; rel="help", </files/page/2>; rel=last`,
    ]);
  });

  it('is below the public address and the base address', async () => {
    const world = await startGatewayWorld({ server: { publicUrl: 'https://api.contoso.com/shop' } });
    const theirs = `http://127.0.0.1:${world.downstream.port}`;
    const token = world.token('adele');
    const locations = [];
    for (const location of [
      `${theirs}/base/things/7/view`,
      'things/7/view',
      '/base/orders',
      '/orders',
      `${theirs}/v1.0/me`,
    ]) {
      world.downstream.answer = answerWith(303, ['Location', location]);
      locations.push((await world.call('/orders', { token })).headers.get('location'));
    }
    await world.close();
    expect(locations).toEqual(['https://api.contoso.com/shop/orders/7', '/shop/orders/7', '/shop/orders', null, null]);
  });
});

import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RouteTable } from '../../../src/contract/routes/route-table.ts';
import { GatewayError } from '../../../src/failures.ts';

/** A table whose entries are the templates; a `*` after the last parameter lets it take the rest of the path. */
function tableOf(...templates: string[]): RouteTable<string> {
  const table = new RouteTable<string>();
  for (const written of templates) {
    const [method = '', template = ''] = written.includes(' ') ? written.split(' ') : ['GET', written];
    table.add(method, template.replace('*', ''), template.endsWith('*'), written);
  }
  return table;
}

/** The entry and the values, or the failure. */
function match(table: RouteTable<string>, path: string, method = 'GET'): unknown {
  try {
    const { entry, values } = table.match(method, path);
    const joined = Object.entries(values).map(([name, value]) => [name, [value].flat().join('/')]);
    return [entry, Object.fromEntries(joined)];
  } catch (error) {
    if (!(error instanceof GatewayError)) {
      throw error;
    }
    const { allow } = error.facts;
    return allow === undefined ? error.code : [error.code, allow];
  }
}

const orders = tableOf(
  '/',
  '/orders',
  'POST /orders',
  '/orders/feed',
  '/orders/{id}',
  'DELETE /orders/{id}',
  'POST /orders/{id}:archive',
  '/orders/{id}/lines/{line}',
  '/{tenant}/orders/feed/all',
  '/reports/{name}.{format}',
  '/reports/{name}',
  '/files/readme',
  '/files/{path}*',
);

describe('a request goes to', () => {
  it.each<[string, string, Record<string, string>]>([
    ['/', '/', {}],
    ['/orders', '/orders', {}],
    ['/orders/feed', '/orders/feed', {}],
    ['/orders/42', '/orders/{id}', { id: '42' }],
    ['/orders/feeds', '/orders/{id}', { id: 'feeds' }],
    ['/orders/feed/lines/1', '/orders/{id}/lines/{line}', { id: 'feed', line: '1' }],
    ['/orders/orders/feed/all', '/{tenant}/orders/feed/all', { tenant: 'orders' }],
    ['/reports/2026.pdf', '/reports/{name}.{format}', { name: '2026', format: 'pdf' }],
    ['/reports/2026.tar.gz', '/reports/{name}.{format}', { name: '2026', format: 'tar.gz' }],
    ['/reports/2026', '/reports/{name}', { name: '2026' }],
    ['/reports/2026.', '/reports/{name}', { name: '2026.' }],
    ['/files/readme', '/files/readme', {}],
    ['/files/readme/a', '/files/{path}*', { path: 'readme/a' }],
    ['/files/a', '/files/{path}*', { path: 'a' }],
    ['/files/a/b/c', '/files/{path}*', { path: 'a/b/c' }],
    ['/files/a/', '/files/{path}*', { path: 'a/' }],
  ])('%s: the most concrete path, %s', (path, template, values) => {
    expect(match(orders, path)).toEqual([template, values]);
  });

  it.each(['forward', 'backward'])(
    'the rest of a path for the methods that a single segment lacks, read %s',
    (order) => {
      const templates = ['DELETE /attestations/{id}', 'GET /attestations/{digest}*'];
      const table = tableOf(...(order === 'forward' ? templates : templates.toReversed()));
      expect(match(table, '/attestations/sha256')).toEqual(['GET /attestations/{digest}*', { digest: 'sha256' }]);
      expect(match(table, '/attestations/sha256', 'DELETE')).toEqual(['DELETE /attestations/{id}', { id: 'sha256' }]);
      expect(match(table, '/attestations/sha256', 'PUT')).toEqual(['method_not_allowed', ['DELETE', 'GET']]);
      expect(match(table, '/attestations/sha256/1', 'DELETE')).toEqual(['method_not_allowed', ['GET']]);
    },
  );

  it('the same operation in whatever order the paths were written', () => {
    const templates = ['/a/{x}*', '/a/{x}', '/a/{x}.{y}', '/a/b', '/a/b.c'];
    const forward = tableOf(...templates);
    const backward = tableOf(...templates.toReversed());
    const paths = ['/a/b', '/a/b.c', '/a/b.d', '/a/c', '/a/c/d'];
    expect(paths.map((path) => match(backward, path))).toEqual(paths.map((path) => match(forward, path)));
  });

  it('the more concrete of two segments that are partly literal', () => {
    expect(match(tableOf('/a/{x}.{y}', '/a/{x}.json'), '/a/b.json')).toEqual(['/a/{x}.json', { x: 'b' }]);
  });
});

describe('a literal matches', () => {
  it.each(['/%6frders', '/%6Frders', '/order%73'])('however it was encoded: %s', (path) => {
    expect(match(orders, path)).toEqual(['/orders', {}]);
  });

  it.each(['/orders/42:%61rchive', '/orders/42:archiv%65', '/orders/4%32:archive'])(
    'also within a segment: %s',
    (path) => {
      expect(match(orders, path, 'POST')).toEqual(['POST /orders/{id}:archive', { id: '42' }]);
    },
  );

  it.each(['/Orders', '/orders%2F42', '/orders;a=b', '/orders%00', '/%c0%afrders'])('nothing else: %s', (path) => {
    expect(match(orders, path)).toBe('not_found');
  });
});

describe('a path that the contract does not have', () => {
  it.each([
    '/order',
    '/orders/',
    '//orders',
    '/orders//lines/1',
    '/orders/42/lines',
    '/orders/42/lines/',
    '/files',
    '/files/',
    '',
    '*',
    'orders',
  ])('is not found: %j', (path) => {
    expect(match(orders, path)).toBe('not_found');
  });
});

describe('a method that the path does not have', () => {
  it.each([
    ['PUT', '/orders', ['GET', 'POST']],
    ['POST', '/orders/42', ['GET', 'DELETE']],
    ['DELETE', '/orders/feed', ['GET']],
    ['GET', '/orders/42:archive', ['POST']],
    ['HEAD', '/files/a/b', ['GET']],
    ['get', '/orders', ['GET', 'POST']],
    ['TRACE', '/', ['GET']],
  ])('is told those that it has: %s %s', (method, path, allow) => {
    expect(match(orders, path, method)).toEqual(['method_not_allowed', allow]);
  });
});

/** After a search that would take for ever, Jest's timeout comes before this. */
const letJestLookAtTheClock = () => setTimeout(0);

describe('a table that is hard to search', () => {
  it('answers, though every level has a way that leads nowhere', async () => {
    const table = tableOf(...Array.from({ length: 40 }, (_, depth) => `/${'{a}.{b}/'.repeat(depth)}x/${depth}`));
    expect(match(table, `/${'a.b/'.repeat(40)}y`)).toBe('not_found');
    await letJestLookAtTheClock();
  });

  it.each([120, 1_500_000])('answers for one segment of many parameters and %d characters', async (length) => {
    const table = tableOf('/{a}-{b}-{c}-{d}-{e}.x');
    expect(match(table, `/${'-'.repeat(length)}`)).toBe('not_found');
    await letJestLookAtTheClock();
  });
});

import { describe, expect, it } from '@jest/globals';
import { compileContract } from '../../src/contract/contract.ts';
import { createPublicAddresses } from '../../src/contract/public-address.ts';
import type { ConfigFault } from '../../src/failures.ts';
import { compileAll, documentWith, operation, pathParameter } from './documents.ts';

type Mapping = readonly [method: string, path: string, service: string, downstream?: string];

/** A contract of these operations; a parameter called `rest` takes several segments. */
function compile(...mappings: readonly Mapping[]) {
  const paths: Record<string, Record<string, object>> = {};
  for (const [method, path, service, downstream] of mappings) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    (paths[path] ??= {})[method] = {
      security: [],
      'x-downstream': { service, ...(downstream !== undefined && { path: downstream }) },
      parameters: names.map((name) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
        ...(name === 'rest' && { 'x-multi-segment': true }),
      })),
      responses: { default: { description: 'Any.' } },
    };
  }
  const faults: ConfigFault[] = [];
  const root = { openapi: '3.1.0', info: { title: 'T', version: '1' }, paths };
  const contract = compileContract(
    [{ source: { at: 'contract', file: 'openapi.yaml' }, document: { file: 'openapi.yaml', version: '3.1', root } }],
    new Set(['graph', 'orders']),
    faults,
  );
  expect(faults).toEqual([]);
  return contract;
}

const DOWNSTREAMS = {
  graph: { baseUrl: 'https://graph.example', query: {} },
  orders: { baseUrl: 'http://orders.internal:8083/api/v2', query: { 'api-version': '2024', code: 's3cret' } },
};

const contract = compile(
  ['get', '/me', 'graph', '/v1.0/me'],
  ['post', '/orders', 'orders', '/orders'],
  ['get', '/orders/{id}', 'orders', '/orders/{id}'],
  ['put', '/orders/{id}', 'orders', '/orders/{id}'],
  ['get', '/newest', 'orders', '/orders/newest'],
  ['get', '/orders/special', 'graph', '/v1.0/special'],
  ['get', '/reports/{id}.{format}', 'orders', '/exports/{format}/{id}'],
  ['get', '/tenants/{tenant}/users', 'graph', '/v1.0/users'],
  ['get', '/files/{rest}', 'graph', '/v1.0/drive/{rest}'],
  ['post', '/jobs', 'orders', '/jobs'],
  ['delete', '/jobs/{job}', 'orders', '/jobs/{job}'],
  ['get', '/jobs/{job}/state', 'orders', '/jobs/{job}/state'],
);
const toPublic = createPublicAddresses({
  publicUrl: new URL('https://api.contoso.com/gateway/'),
  contract,
  downstreams: DOWNSTREAMS,
});

const OURS = 'https://api.contoso.com/gateway';
const THEIRS = 'http://orders.internal:8083/api/v2';

function fromOrders(reference: string, target = '/orders?draft=1'): string | undefined {
  return toPublic(reference, { document: 0, service: 'orders', target });
}

describe('the address of an operation', () => {
  it.each([
    [`${THEIRS}/orders/7`, '/orders/7'],
    [`${THEIRS}/orders/7?a=%20b&c#part`, '/orders/7?a=%20b&c#part'],
    [`${THEIRS}/orders/a%2Fb`, '/orders/a%2Fb'],
    [`${THEIRS}/orders/newest`, '/newest'],
    [`${THEIRS}/exports/pdf/7`, '/reports/7.pdf'],
    [`${THEIRS}/jobs/9`, '/jobs/9'],
    [`${THEIRS}/jobs/9/state`, '/jobs/9/state'],
    [`${THEIRS}/orders/%C5%81%C3%B3d%C5%BA`, '/orders/%C5%81%C3%B3d%C5%BA'],
    [`${THEIRS}/orders/\xc5\x81`, '/orders/%C5%81'],
    ['HTTP://Orders.Internal:8083/api/v2/orders/7', '/orders/7'],
    ['http://orders.internal.:8083/api/v2/orders/7', '/orders/7'],
    ['http://user:pass@orders.internal:8083/api/v2/orders/7', '/orders/7'],
    ['//orders.internal:8083/api/v2/orders/7', '/orders/7'],
  ])('%j becomes %s', (reference, path) => {
    expect(fromOrders(reference)).toBe(`${OURS}${path}`);
  });

  it.each([
    ['/api/v2/orders/7', '/orders/7'],
    ['/api/v2/x/../orders/7', '/orders/7'],
    ['orders/7', '/orders/7'],
    ['./orders/7?x=/', '/orders/7?x=/'],
    ['', '/orders?draft=1'],
    ['?page=2', '/orders?page=2'],
    ['/api/v2/exports/pdf/7', '/reports/7.pdf'],
  ])('%j, which names no host, becomes %s', (reference, path) => {
    expect(fromOrders(reference)).toBe(`/gateway${path}`);
  });

  it('is found from where the request went', () => {
    expect(fromOrders('7', '/orders/6')).toBe('/gateway/orders/7');
    expect(fromOrders('../orders/7', '/jobs/9')).toBe('/gateway/orders/7');
  });

  it.each([
    ['https://graph.example/v1.0/drive/a/b/c%20d', `${OURS}/files/a/b/c%20d`],
    ['https://GRAPH.example:443/v1.0/me', `${OURS}/me`],
    ['http://graph.example/v1.0/me', `${OURS}/me`],
    ['https://graph.example:8443/v1.0/me', 'https://graph.example:8443/v1.0/me'],
  ])('of another API: %s becomes %s', (reference, address) => {
    expect(toPublic(reference, { document: 0, service: 'graph', target: '/v1.0/me' })).toBe(address);
  });
});

describe('an address of the downstream to which no operation leads', () => {
  it.each([
    `${THEIRS}/customers/7`,
    `${THEIRS}/orders/7/lines`,
    `${THEIRS}/orders/`,
    `${THEIRS}/orders/a%2F..%2Fb`,
    `${THEIRS}/orders/%252e`,
    `${THEIRS}/orders/%ff`,
    `${THEIRS}x/orders/7`,
    'http://orders.internal:8083/orders/7',
    'http://orders.internal:8083',
    '/orders/7',
    '../../../orders/7',
    // The public path of this one is that of another operation, which leads to another API.
    `${THEIRS}/orders/special`,
  ])('goes: %s', (reference) => {
    expect(fromOrders(reference)).toBeUndefined();
  });

  it('goes when the public path needs more than it says', () => {
    expect(toPublic('/v1.0/users', { document: 0, service: 'graph', target: '/v1.0/me' })).toBeUndefined();
  });
});

describe('a foreign address', () => {
  it.each([
    'https://login.microsoftonline.com/common',
    'http://orders.internal/api/v2/orders/7',
    'https://orders.internal:8083/api/v2/orders/7',
    'http://orders.internal:8084/api/v2/orders/7',
    'https://graph.example/v1.0/me',
    'http://orders.internal.evil.example:8083/api/v2/orders/7',
    'http://orders.internal:8083@evil.example/api/v2/orders/7',
    '//evil.example/api/v2/orders/7',
    String.raw`\\evil.example\x`,
    'urn:uuid:1',
    'mailto:a@b.example',
    'http://[',
    `${OURS}/orders/7`,
  ])('stays: %s', (reference) => {
    expect(fromOrders(reference)).toBe(reference);
  });
});

describe('the parameters that the gateway adds to every call', () => {
  it.each([
    ['?api-version=2024', ''],
    ['?code=s3cret&page=2', '?page=2'],
    ['?page=2&api%2Dversion=2024&c%6fde=s3%63ret&x', '?page=2&x'],
    ['?api-version=2025', '?api-version=2025'],
  ])('are no caller’s to see: %s', (query, left) => {
    expect(fromOrders(`${THEIRS}/orders/7${query}`)).toBe(`${OURS}/orders/7${left}`);
  });
});

it('never leads into another downstream, or to another path, whatever the address', () => {
  for (const path of ['/orders/special', '/orders/%73pecial', '/orders/7', '/newest', '/orders/newest']) {
    const address = fromOrders(`${THEIRS}${path}`);
    if (address !== undefined) {
      const { entry, encoded } = contract.routes.match('GET', new URL(address).pathname.slice('/gateway'.length));
      expect([entry.service, entry.fillPath(encoded)]).toEqual(['orders', path]);
    }
  }
});

it('leads back into the document of the request, where two lead to one downstream', () => {
  const root = documentWith({ '/it/{id}': { get: operation({ parameters: [pathParameter('id')] }) } });
  const both = compileAll([
    { root, source: { prefix: '/a' } },
    { root, source: { prefix: '/b' } },
    { root: documentWith({ '/new': { get: operation() } }), source: { prefix: '/c' } },
  ]);
  const toPublicOfBoth = createPublicAddresses({
    publicUrl: new URL('https://api.contoso.com'),
    contract: both,
    downstreams: DOWNSTREAMS,
  });
  const addresses = [0, 1, 2].map((document) =>
    toPublicOfBoth('/api/v2/it/5', { document, service: 'orders', target: '/it/4' }),
  );
  expect(addresses).toEqual(['/a/it/5', '/b/it/5', '/a/it/5']);
});

it.each(['/it/;id=5', '/it/;id=5?a=;b'])('leads to a parameter of the style matrix: %s', (path) => {
  const parameters = [pathParameter('id', { style: 'matrix' })];
  const toPublicOfMatrix = createPublicAddresses({
    publicUrl: new URL('https://api.contoso.com'),
    contract: compileAll([{ root: documentWith({ '/it/{id}': { get: operation({ parameters }) } }), source: {} }]),
    downstreams: DOWNSTREAMS,
  });
  const request = { document: 0, service: 'orders', target: '/it/;id=4' };
  expect(toPublicOfMatrix(`${THEIRS}${path}`, request)).toBe(`https://api.contoso.com${path}`);
});

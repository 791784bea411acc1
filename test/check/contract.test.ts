import { describe, expect, it } from '@jest/globals';
import { adviseContract } from '../../src/check/advise-contract.ts';
import type { DownstreamConfig } from '../../src/config/fill-defaults.ts';
import { compile, documentWith, operation, type Node } from '../contract/documents.ts';

/** The report about a document, with a downstream `orders` at this address. */
function report(baseUrl: string, changes: Node, own: Node = {}) {
  const contract = compile({ root: documentWith({ '/it': { get: operation(own) } }, changes) });
  return adviseContract({ contract, downstreams: { orders: { baseUrl } as DownstreamConfig } });
}

const servers = [{ url: 'https://a.example/v1' }];

describe('what does check say of the contract', () => {
  it.each<[string, string, Node]>([
    ['there are no servers', 'https://a.internal/v1', {}],
    ['the paths are the same', 'https://a.internal/v1', { servers }],
    [
      'pathPrefix makes them the same',
      'https://a.internal',
      { servers, 'x-downstream': { service: 'orders', pathPrefix: '/v1' } },
    ],
  ])('nothing where %s', (_case, baseUrl, changes) => {
    expect(report(baseUrl, changes)).toEqual([{ status: 'ok', check: 'contract', found: 'operations served: 1' }]);
  });

  it('that servers and baseUrl have other paths', () => {
    expect(report('https://a.internal', { servers })).toEqual([
      {
        status: 'warn',
        check: 'contract',
        found: 'contract: its servers have the path /v1',
        reason: 'its operations go to / of the downstream orders',
        remedy: 'nothing is to be done if the API is there; else correct baseUrl, or pathPrefix in x-downstream',
        key: 'downstreams.orders.baseUrl',
      },
    ]);
  });

  it('nothing of operations that say their whole path', () => {
    const own = { 'x-downstream': { service: 'orders', path: '/elsewhere' } };
    expect(report('https://a.internal', { servers }, own)).toMatchObject([{ status: 'ok' }]);
  });

  it('what the gateway does not do', () => {
    const key = { type: 'apiKey', in: 'header', name: 'X-Key' };
    const user = { type: 'http', scheme: 'bearer' };
    const components = { securitySchemes: { key, user } };
    expect(report('https://a.internal', { components }, { security: [{ user: [], key: [] }] })).toMatchObject([
      {
        status: 'warn',
        found: 'contract GET /it: names the API key key in the header X-Key, which passes and is not checked',
      },
    ]);
  });
});

import type { ContractSource } from '../../src/contract/contract.ts';

/** A document in which something is not right, as far as it is not that of the first example of docs/contract.md. */
export interface Trouble {
  /** YAML; a whole document where it begins with a version. */
  readonly text: string;
  /** What gateway.yaml says of it. */
  readonly source?: Partial<ContractSource>;
}

const IN_PATH = '{ name: id, in: path, required: true, schema: { type: string } }';

/** One for each fault that docs/contract.md explains. */
export const FAULTY: readonly Trouble[] = [
  { text: "swagger: '2.0'\npaths: {}\n" },
  { text: 'openapi: 3.1.0\ninfo: { title: A, version: 1.0.0 }\npaths: {}\npaths: {}\n' },
  { text: 'paths: {}' },
  { text: 'security:\npaths: { /a: { get: {} }, /b: { get: {} } }' },
  { text: 'x-downstream: {}\npaths: { /a: { get: {} }, /b: { get: {} } }' },
  { text: 'paths: { /orders: { get: { x-downstream: { service: order } } } }' },
  { text: 'paths: { /orders: { get: { security: [{ user: [Orders.Delete] }] } } }' },
  {
    text: `paths: { /orders: { get: { security: [{ key: [] }] } } }
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key } } }`,
  },
  {
    text: `paths:
  /orders/{id}: { get: { parameters: [${IN_PATH}] } }
  /orders/{order}: { get: { parameters: [${IN_PATH.replace('id', 'order')}] } }`,
  },
  { text: 'paths: { /openapi.json: { get: {} } }' },
  { text: 'openapi: 3.2.0\npaths: { /orders: { get: { parameters: [{ name: status, schema: {} }] } } }' },
  { text: 'paths: { /orders: { get: { requestbody: {} } } }' },
  { text: 'paths: { /orders: { x-auth-context: c1, get: {} } }' },
  { text: 'paths: { /mcp/: { x-mcp-server: { security: [{ user: [Orders.Read] }] } } }' },
  {
    text: `paths:
  /one: { x-mcp-server: { security: [{ oidc: ['https://api.contoso.com/one/files.read'] }] } }
  /two: { x-mcp-server: { security: [{ oidc: ['https://api.contoso.com/two/files.read'] }] } }
components:
  securitySchemes: { oidc: { type: openIdConnect, openIdConnectUrl: https://login.example.com } }`,
  },
  { text: 'paths: { /orders: { get: { parameters: [{ $ref: ../shared.yaml }] } } }' },
  {
    text: String.raw`paths: { /orders: { get: { parameters: [{ name: q, in: query, schema: { pattern: '(a)\1' } }] } } }`,
  },
  { text: "servers: [{ url: 'https://{region}.example.com/{version}' }]" },
  { text: 'paths: { /pods: { get: { operationId: listPod } } }', source: { operations: ['listPods', 'GET /pods'] } },
];

/** One for each notice that docs/contract.md explains. */
export const REMARKABLE: readonly Trouble[] = [
  {
    text: `paths: { /orders: { get: { security: [{ user: [], key: [] }] } } }
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key } } }`,
  },
  { text: 'paths: { /orders: { get: { servers: [{ url: /uploads }] } } }' },
  {
    text: `paths:
  /orders/{id}/lines: { get: { parameters: [${IN_PATH.replace('name', 'x-multi-segment: true, name')}] } }`,
  },
  { text: 'paths: { /orders?draft=true: { get: {} }, /orders: { get: {} } }', source: { security: [{ user: [] }] } },
  { text: 'servers: [{ url: https://orders.example.com/api/v2 }]' },
];

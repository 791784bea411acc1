import { GATEWAY_CLIENT_ID } from '../../dev/emulator/world.ts';

/** The scope of the gateway as a contract writes it. */
export function scope(name: string): string {
  return `api://${GATEWAY_CLIENT_ID}/${name}`;
}

const anyone: readonly object[] = [];

function user(name: string): object[] {
  return [{ user: [scope(name)] }];
}

function operation(security: readonly object[], service: string, more: object = {}): object {
  return { security, 'x-downstream': { service }, responses: { default: { description: 'Any.' } }, ...more };
}

function mapped(security: readonly object[], mapping: { service: string; path?: string; method?: string }): object {
  return operation(security, mapping.service, { 'x-downstream': mapping });
}

function pathParameter(name: string, more: object = {}): object {
  return { name, in: 'path', required: true, schema: { type: 'string' }, ...more };
}

const open = operation(anyone, 'api');

/** One contract that has an operation of every kind; `api` and `orders` are the same downstream. */
export const gatewayContract = {
  openapi: '3.1.0',
  info: { title: 'Tests', version: '1.0.0' },
  paths: {
    '/open': { get: open, head: open, post: open, put: open, delete: open, patch: open, options: open },
    '/me': {
      get: { ...mapped(user('Profile.Read'), { service: 'api', path: '/v1.0/me' }), operationId: 'getProfile' },
    },
    '/orders': {
      get: operation([{ user: [scope('Orders.Read')] }, { daemon: ['Orders.Read.All'] }], 'orders', {
        operationId: 'listOrders',
      }),
      post: operation(user('Orders.ReadWrite'), 'orders', {
        requestBody: {
          content: {
            'application/json': {
              schema: { type: 'object', required: ['customer'], properties: { customer: { type: 'string' } } },
            },
          },
        },
      }),
    },
    '/orders/{orderId}': {
      parameters: [pathParameter('orderId')],
      get: mapped(user('Orders.Read'), { service: 'orders', path: '/things/{orderId}/view' }),
    },
    '/things/{thingId}': { parameters: [pathParameter('thingId')], get: open },
    '/upload': { put: operation([...user('Orders.ReadWrite'), { daemon: ['Orders.Read.All'] }], 'api') },
    '/payouts': { post: operation(user('Orders.ReadWrite'), 'api', { 'x-auth-context': 'c1' }) },
    '/files/{path}': {
      parameters: [pathParameter('path', { 'x-multi-segment': true })],
      get: mapped(anyone, { service: 'api', path: '/static/{path}' }),
    },
    '/search': { post: mapped(anyone, { service: 'orders', path: '/find', method: 'get' }) },
    '/hasty': { get: operation(anyone, 'hasty'), put: operation(anyone, 'hasty') },
    '/wire': Object.fromEntries(
      ['get', 'put', 'post', 'patch', 'delete', 'options'].map((method) => [method, operation(anyone, 'wire')]),
    ),
    '/live': {
      get: { ...mapped(user('Profile.Read'), { service: 'api', path: '/v1.0/live' }), 'x-upgrade': 'websocket' },
    },
    '/live/open': { get: operation(anyone, 'orders', { 'x-upgrade': 'websocket' }) },
    '/live/hasty': { get: operation(anyone, 'hasty', { 'x-upgrade': 'websocket' }) },
    '/live/wire': { get: operation(anyone, 'wire', { 'x-upgrade': 'websocket' }) },
    '/live/gone': { get: operation(anyone, 'gone', { 'x-upgrade': 'websocket' }) },
    '/gone': { get: operation(anyone, 'gone') },
  },
  components: {
    securitySchemes: {
      user: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
            tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
            scopes: Object.fromEntries(
              ['Profile.Read', 'Orders.Read', 'Orders.ReadWrite'].map((name) => [scope(name), name]),
            ),
          },
        },
      },
      daemon: {
        type: 'oauth2',
        flows: {
          clientCredentials: {
            tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
            scopes: { 'Orders.Read.All': 'Read all orders' },
          },
        },
      },
    },
  },
};

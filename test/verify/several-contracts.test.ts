import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_ID, GATEWAY_CLIENT_SECRET, HOME_TENANT_ID } from '../../dev/emulator/world.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { runVerify } from './small-gateway.ts';

/** As someone else wrote it: for its own server, with its own key, and more than is served here. */
const BOOKS = {
  openapi: '3.0.3',
  info: { title: 'Books', version: '1' },
  servers: [{ url: 'https://books.example/v7' }],
  security: [{ key: [] }],
  paths: {
    '/books': {
      get: {
        operationId: 'listBooks',
        parameters: [{ name: 'page', in: 'query', schema: { type: 'integer', minimum: 0, exclusiveMinimum: true } }],
        responses: {
          '200': {
            description: 'Some.',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Book' } } },
          },
        },
      },
    },
    '/books/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'getBook', responses: { default: { description: 'It.' } } },
      delete: { operationId: 'burnBook', responses: { default: { description: 'Gone.' } } },
    },
  },
  components: {
    securitySchemes: { key: { type: 'apiKey', in: 'query', name: 'key' } },
    schemas: {
      Book: {
        required: ['title', 'secret'],
        properties: { title: { type: 'string' }, secret: { type: 'string', writeOnly: true } },
      },
    },
  },
};

const STATUS = {
  openapi: '3.1.0',
  info: { title: 'Status', version: '1' },
  servers: [{ url: 'https://status.example/api/{version}', variables: { version: { default: 'v2' } } }],
  paths: {
    '/status': {
      get: { operationId: 'getStatus', security: [], responses: { '200': { description: 'Well.' } } },
    },
    // No request has this path, so no gateway serves it.
    '/status?deep=true': {
      get: { operationId: 'getDeepStatus', security: [], responses: { '200': { description: 'Well.' } } },
    },
  },
};

describe('a gateway of several contracts', () => {
  let folder: string;
  let emulator: Emulator;
  let api: Server;
  let gateway: Gateway;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verify-several-'));
    emulator = await startEmulator();
    api = createServer((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"title":"Emma"}');
    });
    await new Promise<void>((resolve) => {
      api.listen(0, '127.0.0.1', resolve);
    });
    await writeFile(join(folder, 'books.json'), JSON.stringify(BOOKS));
    await writeFile(join(folder, 'status.json'), JSON.stringify(STATUS));
    await writeFile(join(folder, 'gateway.yaml'), JSON.stringify(describeDeployment()));
    const config = await loadConfig(join(folder, 'gateway.yaml'), {});
    gateway = createGateway(config, { logger: pino({ level: 'silent' }) });
    ({ url } = await gateway.start());
  });
  afterAll(async () => {
    await gateway.stop();
    await emulator.close();
    api.closeAllConnections();
    await new Promise((resolve) => {
      api.close(resolve);
    });
    await rm(folder, { recursive: true });
  });

  function describeDeployment(): object {
    const { port } = api.address() as AddressInfo;
    const scopes = [`api://${GATEWAY_CLIENT_ID}/Profile.Read`];
    return {
      contract: [
        { document: './status.json', downstream: 'api' },
        {
          document: './books.json',
          prefix: '/library',
          downstream: 'api',
          security: [{ user: scopes }],
          operations: ['listBooks', 'GET /books/*'],
        },
      ],
      server: { host: '127.0.0.1', port: 0, management: { host: '127.0.0.1', port: 0 } },
      identity: {
        authority: emulator.origin,
        tenant: HOME_TENANT_ID,
        clientId: GATEWAY_CLIENT_ID,
        credential: { secret: GATEWAY_CLIENT_SECRET },
      },
      downstreams: {
        api: { baseUrl: `http://127.0.0.1:${port}`, scopes: ['https://graph.microsoft.com/User.Read'] },
      },
    };
  }

  it('is verified with the document of an operator below the path of its first server', async () => {
    const { code, out } = await runVerify(['--contract', join(folder, 'status.json'), '--url', url]);
    expect(out.filter((line) => !line.startsWith('pass'))).toEqual([
      'coverage  1 of 1 operations, 0 of 0 parameters, 0 of 0 bodies, 1 of 1 responses',
      expect.stringMatching(/ 0 failed, 0 skipped$/),
    ]);
    expect(code).toBe(0);
  });

  it('is verified with the document that it publishes below a prefix', async () => {
    const file = join(folder, 'published.json');
    await writeFile(file, await (await fetch(`${url}/library/openapi.json`)).text());
    const env = {
      VERIFY_USER_TOKEN: emulator.issueAccessToken({ user: 'adele' }),
      VERIFY_USER_TOKEN_NO_SCOPE: emulator.issueAccessToken({ user: 'adele', scopes: ['Other'] }),
      VERIFY_APP_TOKEN: emulator.issueAccessToken({ app: 'daemon' }),
    };
    const { code, out } = await runVerify(['--contract', file, '--url', `${url}/library`], env);
    expect(out.filter((line) => /^(?:FAIL|skip)/.test(line))).toEqual([]);
    expect(out).toContain('pass  listBooks  with a broken query parameter page');
    expect(out).toContain('pass  /books/{id}  with the method OPTIONS');
    expect(out).toContain('pass  /openapi.json  as a document');
    expect(code).toBe(0);
  });
});

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { publishDocument, type Publication, type PublishedOperation } from '../../../src/contract/document/publish.ts';
import { read, withFolder } from '../document-folder.ts';
import { documentWith, operation, type Node } from '../documents.ts';

const ENTRA = 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2/v2.0';

const AUTHORITY = {
  authorizationUrl: `${ENTRA}/authorize`,
  tokenUrl: `${ENTRA}/token`,
  deviceAuthorizationUrl: `${ENTRA}/devicecode`,
  openIdConfigurationUrl: `${ENTRA}/.well-known/openid-configuration`,
};

const ANYONE: PublishedOperation = { access: 'anonymous' };
const READ = 'api://gateway/Orders.Read';
const USER: PublishedOperation = { access: [{ caller: 'user', scopes: [READ], claimed: ['Orders.Read'] }] };
const ANY_USER: PublishedOperation = { access: [{ caller: 'user', scopes: [], claimed: [] }] };
const APP: PublishedOperation = { access: [{ caller: 'app', roles: ['Orders.Read.All'] }] };

/** Publishes a document with these operations. */
async function publish(
  document: Node,
  operations: Readonly<Record<string, PublishedOperation>>,
  changes: Partial<Publication> = {},
): Promise<Node> {
  const { document: contract, lines } = await read({ 'openapi.yaml': document });
  if (contract === undefined) {
    throw new Error(lines.join('\n'));
  }
  const before = JSON.stringify(contract.root);
  const published = publishDocument(contract, {
    serverUrl: 'https://api.contoso.com/graph',
    authority: AUTHORITY,
    operations: new Map(Object.entries(operations)),
    ...changes,
  });
  expect(JSON.stringify(contract.root)).toBe(before);
  return JSON.parse(JSON.stringify(published)) as Node;
}

/** The value at a path of keys. */
function valueAt(document: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<string | number, unknown> | undefined)?.[key], document);
}

const GET_IT = ['paths', '/it', 'get'] as const;

/** An operation without what tests do not look at. */
const PLAIN = { security: [], responses: { '200': { description: 'Well.' } } };

describe('the published document', () => {
  it('names the public address as its only server', async () => {
    const servers = [{ url: 'https://internal.contoso.com' }];
    const published = await publish(
      documentWith(
        { '/it': { servers, get: operation({ servers }) } },
        { openapi: '3.2.0', $self: 'https://a.example/', servers },
      ),
      { 'get /it': ANYONE },
    );
    expect([published['servers'], JSON.stringify(published).includes('internal'), Object.keys(published)]).toEqual([
      [{ url: 'https://api.contoso.com/graph' }],
      false,
      ['openapi', 'info', 'servers', 'paths', 'components'],
    ]);
  });

  it.each<[string, Node, Node]>([
    ['implicit', { authorizationUrl: 'a', scopes: {} }, { authorizationUrl: `${ENTRA}/authorize` }],
    ['password', { tokenUrl: 'a', scopes: {} }, { tokenUrl: `${ENTRA}/token` }],
    ['clientCredentials', { scopes: { A: 'a' } }, { tokenUrl: `${ENTRA}/token` }],
    [
      'authorizationCode',
      { authorizationUrl: 'a', tokenUrl: 'a', refreshUrl: 'a', scopes: {} },
      { authorizationUrl: `${ENTRA}/authorize`, tokenUrl: `${ENTRA}/token`, refreshUrl: `${ENTRA}/token` },
    ],
    [
      'deviceAuthorization',
      { deviceAuthorizationUrl: 'a', tokenUrl: 'a', scopes: {} },
      { deviceAuthorizationUrl: `${ENTRA}/devicecode`, tokenUrl: `${ENTRA}/token` },
    ],
  ])('names the addresses of the authority in the flow %s', async (flow, written, addresses) => {
    const securitySchemes = { a: { type: 'oauth2', oauth2MetadataUrl: 'a', flows: { [flow]: written } } };
    const published = await publish(documentWith({}, { openapi: '3.2.0', components: { securitySchemes } }), {});
    expect(valueAt(published, 'components', 'securitySchemes', 'a')).toEqual({
      type: 'oauth2',
      oauth2MetadataUrl: AUTHORITY.openIdConfigurationUrl,
      flows: { [flow]: { ...written, ...addresses } },
    });
  });

  it('names the configuration of the authority for OpenID Connect, and leaves other schemes alone', async () => {
    const securitySchemes = {
      a: { type: 'openIdConnect', openIdConnectUrl: 'https://a.example/' },
      b: { type: 'http', scheme: 'bearer' },
    };
    const published = await publish(documentWith({}, { components: { securitySchemes } }), {});
    expect(valueAt(published, 'components', 'securitySchemes')).toEqual({
      ...securitySchemes,
      a: { type: 'openIdConnect', openIdConnectUrl: AUTHORITY.openIdConfigurationUrl },
    });
  });

  it('keeps its version, its webhooks and the components that nobody used', async () => {
    const more = { webhooks: { a: { post: { responses: {} } } }, components: { schemas: { Unused: {} } } };
    const published = await publish(documentWith({}, more), {});
    expect(published).toMatchObject({ openapi: '3.1.0', ...more });
  });
});

/** A body of a schema among the components. */
function body(name: string): Node {
  return { content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } };
}

describe('only what is served is published', () => {
  it('with the components that it uses', async () => {
    const published = await publish(
      documentWith(
        {
          '/it': { get: operation({ requestBody: body('A') }), trace: operation({ requestBody: body('B') }) },
          '/other': { put: operation({ requestBody: body('B') }) },
        },
        { components: { schemas: { A: {}, B: {}, C: {} } } },
      ),
      { 'get /it': ANYONE },
    );
    expect([published['paths'], published['components']]).toEqual([
      { '/it': { get: { ...PLAIN, requestBody: body('A') } } },
      { schemas: { A: {}, C: {} } },
    ]);
  });

  it('also of a path item that two paths share', async () => {
    const published = await publish(
      documentWith(
        { '/it': { $ref: '#/components/pathItems/Both' }, '/other': { $ref: '#/components/pathItems/Both' } },
        { components: { pathItems: { Both: { get: operation(), put: operation() } } } },
      ),
      { 'get /it': ANYONE, 'put /other': ANYONE },
    );
    expect([published['paths'], published['components']]).toEqual([
      { '/it': { get: PLAIN }, '/other': { put: PLAIN } },
      undefined,
    ]);
  });

  it('with the methods of 3.2', async () => {
    const published = await publish(
      documentWith(
        { '/it': { query: operation(), additionalOperations: { COPY: operation(), MOVE: operation() } } },
        { openapi: '3.2.0', components: undefined },
      ),
      { 'query /it': ANYONE, 'COPY /it': ANYONE },
    );
    expect(published['paths']).toEqual({ '/it': { query: PLAIN, additionalOperations: { COPY: PLAIN } } });
  });
});

describe('an operation has the answers to a token that will not do', () => {
  const UNAUTHORIZED = { $ref: '#/components/responses/GatewayUnauthorized' };
  const FORBIDDEN = { $ref: '#/components/responses/GatewayForbidden' };

  it.each<[string, PublishedOperation, Node]>([
    ['nobody needs a token', ANYONE, {}],
    ['any user may call', ANY_USER, { '401': UNAUTHORIZED }],
    ['scopes are asked for', USER, { '401': UNAUTHORIZED, '403': FORBIDDEN }],
    ['roles are asked for', APP, { '401': UNAUTHORIZED, '403': FORBIDDEN }],
    [
      'an authentication context is asked for',
      { ...ANY_USER, authContext: 'c1' },
      { '401': UNAUTHORIZED, '403': FORBIDDEN },
    ],
  ])('where %s', async (_case, asked, expected) => {
    const published = await publish(documentWith({ '/it': { get: operation() } }), { 'get /it': asked });
    expect(valueAt(published, ...GET_IT, 'responses')).toEqual({ ...PLAIN.responses, ...expected });
  });

  it('as components that say what they are', async () => {
    const published = await publish(documentWith({ '/it': { get: operation() } }), { 'get /it': USER });
    expect(valueAt(published, 'components', 'responses', 'GatewayUnauthorized')).toEqual({
      description: expect.any(String),
      headers: { 'WWW-Authenticate': { $ref: '#/components/headers/GatewayChallenge' } },
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/GatewayProblem' } } },
    });
    expect(valueAt(published, 'components', 'schemas', 'GatewayProblem', 'required')).toContain('code');
  });

  it('beside those that are declared, which get the header that they lack', async () => {
    const header = { schema: { type: 'integer' } };
    const denied = { description: 'No.', headers: { 'www-authenticate': header } };
    const published = await publish(
      documentWith(
        {
          '/it': {
            get: operation({
              responses: { '401': { $ref: '#/components/responses/Missing' }, '403': denied, default: {} },
            }),
          },
        },
        { components: { responses: { Missing: { description: 'Who?', headers: { 'x-a': header } } } } },
      ),
      { 'get /it': USER },
    );
    expect(valueAt(published, ...GET_IT, 'responses')).toEqual({
      '401': {
        description: 'Who?',
        headers: { 'x-a': header, 'WWW-Authenticate': { $ref: '#/components/headers/GatewayChallenge' } },
      },
      '403': denied,
      default: {},
    });
    // Neither the declared answer that got a header of its own, nor answers that no operation needs.
    expect(valueAt(published, 'components', 'responses')).toBeUndefined();
  });

  it('under other names where the document has these', async () => {
    const taken = { responses: { GatewayUnauthorized: {} }, headers: { GatewayChallenge: { schema: {} } } };
    const published = await publish(documentWith({ '/it': { get: operation() } }, { components: taken }), {
      'get /it': ANY_USER,
    });
    expect(valueAt(published, ...GET_IT, 'responses', '401')).toEqual({
      $ref: '#/components/responses/GatewayUnauthorized_2',
    });
  });
});

describe('who may call is published', () => {
  it('as the document says it, and from its path item where only that says it', async () => {
    const security = [{ user: [READ] }];
    const published = await publish(
      documentWith({ '/it': { security, get: operation({ security: undefined }), put: operation() } }),
      { 'get /it': USER, 'put /it': ANYONE },
    );
    expect([
      valueAt(published, 'paths', '/it', 'security'),
      valueAt(published, ...GET_IT, 'security'),
      valueAt(published, 'paths', '/it', 'put', 'security'),
    ]).toEqual([undefined, security, []]);
  });

  it('as gateway.yaml says it', async () => {
    const foreign = { key: { type: 'apiKey', name: 'k', in: 'header' } };
    const published = await publish(
      documentWith(
        {
          '/it': {
            get: operation({ security: [{ key: [] }] }),
            put: operation({ security: undefined }),
            post: operation(),
          },
        },
        { security: [{ key: [] }], components: { securitySchemes: foreign } },
      ),
      {
        'get /it': { access: [...(USER.access as []), ...(APP.access as [])] },
        'put /it': ANY_USER,
        'post /it': ANYONE,
      },
      { security: [{ user: [READ] }] },
    );
    expect(published['security']).toBeUndefined();
    expect(['get', 'put', 'post'].map((method) => valueAt(published, 'paths', '/it', method, 'security'))).toEqual([
      [{ user: [READ] }, { app: ['Orders.Read.All'] }],
      [{ user: [] }],
      [],
    ]);
    expect(valueAt(published, 'components', 'securitySchemes')).toEqual({
      user: {
        type: 'oauth2',
        description: expect.any(String),
        flows: {
          authorizationCode: {
            authorizationUrl: AUTHORITY.authorizationUrl,
            tokenUrl: AUTHORITY.tokenUrl,
            scopes: { [READ]: READ },
          },
        },
      },
      app: {
        type: 'oauth2',
        description: expect.any(String),
        flows: {
          clientCredentials: { tokenUrl: AUTHORITY.tokenUrl, scopes: { 'Orders.Read.All': 'Orders.Read.All' } },
        },
      },
    });
  });
});

describe('a contract linter', () => {
  it('finds no fault in the published contract of the demo world', async () => {
    const demo = await readFile(new URL('../../../openapi.yaml', import.meta.url), 'utf8');
    const { stdout } = await withFolder({ 'openapi.yaml': demo }, async (folder) => {
      const { document } = await read({ 'openapi.yaml': demo });
      const paths = Object.entries(document?.root['paths'] as Record<string, Node>);
      const names = paths.flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
      const published = await publish(
        JSON.parse(JSON.stringify(document?.root)) as Node,
        Object.fromEntries(names.map((name) => [name, USER])),
      );
      await writeFile(join(folder, 'published.json'), JSON.stringify(published));
      return promisify(execFile)(
        process.execPath,
        [
          'node_modules/@redocly/cli/bin/cli.js',
          'lint',
          join(folder, 'published.json'),
          '--config',
          'redocly.yaml',
          '--format',
          'summary',
        ],
        { env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
      );
    });
    expect(stdout).not.toMatch(/error|warning/i);
  }, 120_000);
});

import { describe, expect, it } from '@jest/globals';
import type { Access } from '../../src/session/requirement.ts';
import { read } from './document-folder.ts';
import { documentWith, load, operation, type Loaded, type Node } from './documents.ts';

const HOST = 'https://api.contoso.com';

/** A server that people with one scope connect to. */
function server(changes: Node = {}): Node {
  return { service: 'orders', security: [{ user: [`${HOST}/mcp/files.read`] }], ...changes };
}

/** A document of nothing but paths; schemes are declared nowhere. */
function bare(paths: Node, changes: Node = {}): Node {
  return { openapi: '3.1.0', info: { title: 'Files', version: '1' }, paths, ...changes };
}

/** Scopes and roles of the ways to meet an access. */
function waysOf(access: Access): readonly (readonly string[])[] {
  return access === 'anonymous'
    ? []
    : access.map((way) => (way.caller === 'user' ? way.claimed : way.caller === 'app' ? way.roles : []));
}

/** A server whose tools have rules. */
function loadTools(tools: Node, changes: Node = {}): Promise<Loaded> {
  return load(bare({ '/mcp': { 'x-mcp-server': server({ tools, ...changes }) } }));
}

/** The operations, as callers reach them, and where they go. */
function mappingOf({ contract }: Loaded): readonly string[] {
  return (contract?.operations ?? []).map(
    ({ name, method, path, service, downstreamMethod, downstreamPath }) =>
      `${name}: ${method} ${path} → ${service} ${downstreamMethod} ${downstreamPath}`,
  );
}

describe('an MCP server', () => {
  it('has the operations of all revisions of the transport', async () => {
    const loaded = await load(bare({ '/mcp': { 'x-mcp-server': server({ path: '/behind' }) } }));
    expect(loaded.lines).toEqual([]);
    expect(mappingOf(loaded)).toEqual([
      'mcp /mcp GET: GET /mcp → orders GET /behind',
      'mcp /mcp POST: POST /mcp → orders POST /behind',
      'mcp /mcp DELETE: DELETE /mcp → orders DELETE /behind',
    ]);
    expect(loaded.contract?.mcpServers).toEqual([
      { path: '/mcp', service: 'orders', scopes: [`${HOST}/mcp/files.read`], tools: [] },
    ]);
  });

  it('has only POST where it knows no revision before 2026-07-28', async () => {
    const loaded = await load(bare({ '/mcp': { 'x-mcp-server': server({ legacy: false }) } }));
    expect(mappingOf(loaded)).toEqual(['mcp /mcp POST: POST /mcp → orders POST /mcp']);
  });

  it.each<[string, Node]>([
    ['as a member of x-gateway', { 'x-gateway': { mcpServer: server() } }],
    ['in a path item that others share', { $ref: '#/components/pathItems/files' }],
  ])('is written %s', async (_case, item) => {
    const components = { pathItems: { files: { 'x-mcp-server': server() } } };
    const loaded = await load(bare({ '/mcp': item }, { components }));
    expect(loaded.lines).toEqual([]);
    expect(loaded.contract?.mcpServers).toHaveLength(1);
    expect(loaded.contract?.operations).toHaveLength(3);
  });

  it('may stand in another file, beside one that does not', async () => {
    const other = server({ security: [{ user: [`${HOST}/other/notes.read`] }] });
    const paths = { '/mcp': { 'x-mcp-server': server() }, '/other': { $ref: './other.yaml' } };
    const { document, lines } = await read({ 'openapi.yaml': bare(paths), 'other.yaml': { 'x-mcp-server': other } });
    expect(lines).toEqual([]);
    expect(document?.root).toMatchObject({
      paths: { '/mcp': { post: {}, get: {} }, '/other': { post: {}, delete: {} } },
      components: {
        securitySchemes: {
          user: {
            flows: {
              authorizationCode: {
                scopes: {
                  [`${HOST}/mcp/files.read`]: `${HOST}/mcp/files.read`,
                  [`${HOST}/other/notes.read`]: `${HOST}/other/notes.read`,
                },
              },
            },
          },
        },
      },
    });
  });

  it('inherits what it does not say, as operations do', async () => {
    const item = { 'x-mcp-server': {}, 'x-downstream': { service: 'graph', pathPrefix: '/v1' } };
    const loaded = await load(documentWith({ '/mcp': item }, { security: [{ user: ['api://gateway/Orders.Read'] }] }));
    expect(mappingOf(loaded)).toContain('mcp /mcp POST: POST /mcp → graph POST /v1/mcp');
    expect(loaded.contract?.mcpServers[0]?.scopes).toEqual(['api://gateway/Orders.Read']);
  });

  it('is served below the prefix of its document, by the security of gateway.yaml', async () => {
    const changes = {
      prefix: '/files',
      security: [{ user: [`${HOST}/files/mcp/all`] }],
      operations: ['POST /mcp'],
    };
    const loaded = await load(bare({ '/mcp': { 'x-mcp-server': server() }, '/other': { get: operation() } }), changes);
    expect(loaded.lines).toEqual([]);
    expect(mappingOf(loaded)).toEqual(['/files mcp /mcp POST: POST /files/mcp → orders POST /mcp']);
    expect(loaded.contract?.mcpServers).toEqual([
      { path: '/files/mcp', service: 'orders', scopes: [`${HOST}/files/mcp/all`], tools: [] },
    ]);
  });

  it('keeps its scopes out of those of the whole API, unless an operation asks for them, too', async () => {
    const paths = {
      '/orders': { get: operation({ security: [{ user: ['api://gateway/Orders.Read'] }] }) },
      '/mcp': {
        'x-mcp-server': server({ security: [{ user: ['api://gateway/Orders.Read', 'api://gateway/Orders.Write'] }] }),
      },
    };
    const { contract } = await load(documentWith(paths));
    expect(contract?.scopes).toEqual(['api://gateway/Orders.Read']);
  });

  it('asks to connect for what its first requirement for users says', async () => {
    const security = [{ app: ['Files.All'] }, { user: ['a/b', 'a/c'] }, { user: ['d'] }];
    const { contract, lines } = await load(bare({ '/mcp': { 'x-mcp-server': server({ security }) } }));
    expect(lines).toEqual([]);
    expect(contract?.mcpServers[0]?.scopes).toEqual(['a/b', 'a/c']);
  });
});

describe('the rules of a tool', () => {
  it('add to those of the server', async () => {
    const write = `${HOST}/mcp/files.write`;
    const { contract, lines } = await loadTools({
      delete_file: { security: [{ user: [write] }], 'x-auth-context': 'c1' },
      move_file: { 'x-auth-context': 'c2' },
    });
    expect(lines).toEqual([]);
    expect(contract?.mcpServers[0]?.tools).toEqual([
      { name: 'delete_file', scopes: [`${HOST}/mcp/files.read`, write], authContext: 'c1' },
      { name: 'move_file', scopes: [`${HOST}/mcp/files.read`], authContext: 'c2' },
    ]);
    const post = contract?.operations.find(({ method }) => method === 'POST');
    expect(waysOf(post?.tools?.get('delete_file')?.access ?? 'anonymous')).toEqual([['files.read', 'files.write']]);
  });

  it.each<[string, Node[], Node[], string[][]]>([
    [
      'each way in with each way to call',
      [{ user: ['r'] }, { user: ['s'] }],
      [{ user: ['w'] }],
      [
        ['r', 'w'],
        ['s', 'w'],
      ],
    ],
    ['apps with apps', [{ user: ['r'] }, { app: ['R'] }], [{ app: ['W'] }], [['R', 'W']]],
    ['a caller who needs no token with one who does', [{}, { user: ['r'] }], [{ user: ['w'] }], [['w'], ['r', 'w']]],
    ['the same once', [{ user: ['r'] }], [{ user: ['r'] }, {}], [['r']]],
  ])('join %s', async (_case, security, own, expected) => {
    const { contract, lines } = await loadTools({ t: { security: own } }, { security });
    expect(lines).toEqual([]);
    expect(waysOf(contract?.operations[0]?.tools?.get('t')?.access ?? 'anonymous')).toEqual(expected);
  });

  it('are kept by names that JavaScript knows', async () => {
    const { contract } = await loadTools(JSON.parse('{ "__proto__": { "x-auth-context": "c1" } }') as Node);
    expect(contract?.operations[0]?.tools?.has('__proto__')).toBe(true);
    expect(contract?.operations[0]?.tools?.has('constructor')).toBe(false);
  });
});

describe('a fault is', () => {
  const tool = (rules: unknown): Node => ({ '/mcp': { 'x-mcp-server': server({ tools: { t: rules } }) } });

  it.each<[string, Node, RegExp]>([
    ['what is no map', { '/mcp': { 'x-mcp-server': true } }, /^contract \/mcp: has the x-mcp-server true; allowed/],
    [
      'an operation beside it',
      { '/mcp': { 'x-mcp-server': server(), get: operation() } },
      /^contract \/mcp: has x-mcp-server and get; an MCP server has no operations of its own/,
    ],
    [
      'an unknown key',
      { '/mcp': { 'x-mcp-server': server({ servce: 'x' }) } },
      /servce in x-mcp-server; did you mean service\?/,
    ],
    ['an unknown key of a tool', tool({ scopes: [] }), /unknown key scopes in x-mcp-server tools t; known: security/],
    ['a tool without a rule', tool({}), /has the x-mcp-server tools t \{\}; allowed: security and x-auth-context/],
    [
      'a legacy that is no switch',
      { '/mcp': { 'x-mcp-server': server({ legacy: 'no' }) } },
      /legacy "no"; allowed: true/,
    ],
    ['an unknown service', { '/mcp': { 'x-mcp-server': server({ service: 'x' }) } }, /the unknown service x; known/],
    [
      'a slash at the end',
      { '/mcp/': { 'x-mcp-server': server() } },
      /^contract \/mcp\/: has x-mcp-server at a path with a slash at its end/,
    ],
    [
      'the root',
      { '/': { 'x-mcp-server': server() } },
      /^contract \/: has x-mcp-server at a path with a slash at its end/,
    ],
    ['a parameter', { '/mcp/{id}': { 'x-mcp-server': server() } }, /at a path with a parameter/],
    ['a path that challenges cannot name', { '/m,p': { 'x-mcp-server': server() } }, /that challenges cannot name/],
    [
      'an authentication context that is none',
      tool({ 'x-auth-context': 'high' }),
      /x-auth-context "high"; allowed: c1 to c99, for the tool t/,
    ],
    [
      'a scope that is not safe',
      tool({ security: [{ user: ['a b'] }] }),
      /asks for the scope "a b"; .*, for the tool t/,
    ],
    [
      'a tool that nobody may call',
      tool({ security: [{ app: ['All'] }] }),
      /no caller meets who may connect, for the tool t/,
    ],
    [
      'a tool that asks for nothing',
      tool({ security: [] }),
      /has security that asks for nothing; leave it out, for the tool t/,
    ],
    [
      'rules for the tools of an anonymous server',
      { '/mcp': { 'x-mcp-server': server({ security: [], tools: { t: { security: [{ user: ['a'] }] } } }) } },
      /^contract \/mcp: has rules for tools but is anonymous/,
    ],
    [
      'a context of a server that lets in callers without a token',
      {
        '/mcp': {
          'x-mcp-server': server({ security: [{}, { user: ['https://h/mcp/read'] }], 'x-auth-context': 'c1' }),
        },
      },
      /^contract \/mcp: has x-mcp-server with an x-auth-context, and lets in callers without a token/,
    ],
    [
      'a scope that ends like that of another server',
      {
        '/a': { 'x-mcp-server': server({ security: [{ user: ['https://h/a/read'] }] }) },
        '/b': { 'x-mcp-server': server({ tools: { t: { security: [{ user: ['https://h/b/read'] }] } } }) },
      },
      /^contract GET \/b: asks for a scope that ends in read, as the MCP server \/a does/,
    ],
    [
      'the extension at an operation',
      { '/a': { get: operation({ 'x-mcp-server': server() }) } },
      /does nothing at an operation/,
    ],
    ['a slip in its name', { '/mcp': { 'x-mcp-sever': server(), get: operation() } }, /did you mean x-mcp-server\?/],
    [
      'a scope that the scheme lacks',
      { '/mcp': { 'x-mcp-server': server() } },
      /files.read, which the security scheme user does not declare/,
    ],
  ])('%s', async (name, paths, expected) => {
    const document = name === 'a scope that the scheme lacks' ? documentWith(paths) : bare(paths);
    const { lines } = await load(document);
    expect(lines).toEqual([expect.stringMatching(expected)]);
  });

  it('none where gateway.yaml does not serve it', async () => {
    const paths = { '/mcp': { 'x-mcp-server': true }, '/a': { get: operation() } };
    const { lines } = await load(bare(paths), { operations: ['GET /a'] });
    expect(lines).toEqual([]);
  });
});

import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { startGatewayWorld, readChallenge, readProblem } from '../support/gateway-world.ts';
import { scope } from '../support/gateway-contract.ts';
import { answerWith, valuesOf } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';
import { rawRequest } from '../support/raw-request.ts';
import { ask, bearer, CHECKS } from '../authorization-service/engine.ts';

const PUBLIC_URL = 'https://api.contoso.com';
const READ = `${PUBLIC_URL}/mcp/Orders.Read`;
const WRITE = `${PUBLIC_URL}/mcp/Orders.ReadWrite`;
const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const METADATA = `${PUBLIC_URL}${WELL_KNOWN}/mcp`;

const responses = { default: { description: 'Any.' } };

const world = await startGatewayWorld({
  server: { publicUrl: PUBLIC_URL, bodyLimit: '12mb', cors: { origins: ['https://inspector.contoso.com'] } },
  authorizationService: { port: 0 },
  // Nothing here is about times.
  timeout: { response: '30s', idle: '30s' },
  contract: [
    {
      document: {
        openapi: '3.1.0',
        info: { title: 'Files', version: '1' },
        paths: {
          '/orders': {
            get: { security: [{ user: [scope('Orders.Read')] }], 'x-downstream': { service: 'api' }, responses },
          },
          '/mcp': {
            'x-mcp-server': {
              service: 'api',
              security: [{ user: [READ] }],
              tools: {
                delete_file: { security: [{ user: [WRITE] }], 'x-auth-context': 'c1' },
                write_file: { security: [{ user: [WRITE] }] },
              },
            },
          },
          '/plain': {
            'x-mcp-server': {
              service: 'orders',
              path: '/mcp',
              security: [{ user: [`${PUBLIC_URL}/plain/Profile.Read`] }],
            },
          },
          '/open': { 'x-mcp-server': { service: 'hasty', security: [] } },
          '/optional': {
            'x-mcp-server': {
              service: 'api',
              security: [{}, { app: ['Files.All'] }, { user: [`${PUBLIC_URL}/optional/Tools.Read`] }],
              tools: {
                prove_file: { 'x-auth-context': 'c1' },
                write_file: { security: [{ user: [`${PUBLIC_URL}/optional/Tools.Write`] }] },
                seal_file: { security: [{ user: [`${PUBLIC_URL}/optional/Tools.Write`] }], 'x-auth-context': 'c1' },
              },
            },
          },
        },
        components: {
          securitySchemes: {
            user: {
              type: 'oauth2',
              flows: {
                authorizationCode: {
                  authorizationUrl: 'https://e.com',
                  tokenUrl: 'https://e.com',
                  scopes: Object.fromEntries(
                    [
                      READ,
                      WRITE,
                      scope('Orders.Read'),
                      `${PUBLIC_URL}/plain/Profile.Read`,
                      `${PUBLIC_URL}/optional/Tools.Read`,
                      `${PUBLIC_URL}/optional/Tools.Write`,
                    ].map((name) => [name, name]),
                  ),
                },
              },
            },
          },
        },
      },
    },
  ],
});
afterAll(() => world.close());
beforeEach(() => world.downstream.reset());

const reader = world.token('adele', { scopes: ['Orders.Read'] });
const writer = world.token('adele', { scopes: ['Orders.Read', 'Orders.ReadWrite'] });

interface Posted {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** Sends a message to the MCP server. */
function post(
  body: string | Uint8Array<ArrayBuffer>,
  { token = reader, headers, path = '/mcp' }: Posted = {},
): Promise<Response> {
  return world.call(path, {
    method: 'POST',
    token,
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body,
  });
}

/** A call of a tool, as clients write it. */
function call(name: string, more: object = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, ...more } });
}

/** Sends a message without a token to the server that needs none. */
function postAnonymously(body: string): Promise<Response> {
  return world.call('/optional', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

function parametersOf(response: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(readChallenge(response));
}

describe('a client finds out how to sign in', () => {
  it('by a document of each server, which pages of any origin may read', async () => {
    const response = await world.call(`${WELL_KNOWN}/mcp`);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toMatchObject({
      resource: `${PUBLIC_URL}/mcp`,
      scopes_supported: [READ],
      bearer_methods_supported: ['header'],
    });
  });

  it('and pages may ask for it with a header of theirs', async () => {
    const response = await world.call(`${WELL_KNOWN}/mcp`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toBe('mcp-protocol-version');
  });

  it('while the document of the whole API names no scope of theirs', async () => {
    expect(await (await world.call(WELL_KNOWN)).json()).toMatchObject({
      resource: PUBLIC_URL,
      scopes_supported: [scope('Orders.Read')],
    });
  });

  it.each(['POST', 'GET', 'DELETE'])('by the challenge of a %s without a token', async (method) => {
    const response = await world.call('/mcp', { method });
    expect(response.status).toBe(401);
    expect(parametersOf(response)).toMatchObject({ scope: READ, resource_metadata: METADATA });
  });

  it.each<[string, string, object]>([
    ['a token that is none', 'x.y.z', { error: 'invalid_token', scope: READ, resource_metadata: METADATA }],
    ['a header that is none', 'a b', { error: 'invalid_request', resource_metadata: METADATA }],
    [
      'a token without its scope',
      world.token('adele', { scopes: ['Profile.Read'] }),
      { error: 'insufficient_scope', scope: READ, resource_metadata: METADATA },
    ],
  ])('by the challenge of %s', async (_case, token, expected) => {
    expect(parametersOf(await world.call('/mcp', { method: 'POST', token }))).toMatchObject(expected);
  });

  it('by ordinary operations in /openapi.json', async () => {
    const { paths } = (await (await world.call('/openapi.json')).json()) as {
      paths: Record<string, Record<string, object>>;
    };
    expect(Object.keys(paths['/mcp'] ?? {})).toEqual(['post', 'get', 'delete']);
    expect(paths['/mcp']?.['post']).toMatchObject({ tags: ['MCP'], security: [{ user: [READ] }] });
    expect(JSON.stringify(paths)).not.toMatch(/x-mcp|delete_file/);
  });
});

describe('a page may call', () => {
  it.each([
    ['of no origin', undefined, 200],
    ['of our own', PUBLIC_URL, 200],
    ['of an allowed one', 'https://inspector.contoso.com', 200],
    ['of a foreign one', 'https://evil.example', 403],
    ['of none that it tells', 'null', 403],
  ])('%s', async (_case, origin, status) => {
    const response = await post('{"id":1,"method":"ping"}', { headers: origin === undefined ? {} : { origin } });
    expect(response.status).toBe(status);
    if (status === 403) {
      expect(await readProblem(response)).toMatchObject({ code: 'access_denied' });
      expect(world.downstream.requests).toHaveLength(0);
    }
  });

  it('and a foreign one is refused before its token is looked at', async () => {
    expect((await world.call('/plain', { method: 'POST', headers: { origin: 'https://evil.example' } })).status).toBe(
      403,
    );
    expect((await world.call('/orders', { headers: { origin: 'https://evil.example' } })).status).toBe(401);
  });

  it('and read the session and the revision', async () => {
    const headers = { origin: 'https://inspector.contoso.com' };
    const exposed = async (path: string): Promise<string> =>
      (await world.call(path, { headers })).headers.get('access-control-expose-headers') ?? '';
    expect(await exposed('/mcp')).toMatch(/Mcp-Session-Id, MCP-Protocol-Version$/);
    expect(await exposed('/open')).toMatch(/Mcp-Session-Id, MCP-Protocol-Version$/);
    expect(await exposed('/orders')).not.toMatch(/mcp/i);
  });
});

it('headers of the protocol pass both ways, with names of arguments as the tool has them', async () => {
  world.downstream.answer = answerWith(200, [
    'Mcp-Session-Id',
    's1',
    'MCP-Protocol-Version',
    '2026-07-28',
    'X-Accel-Buffering',
    'no',
  ]);
  const response = await rawRequest(world.port, [
    'POST /plain HTTP/1.1',
    'Host: api',
    bearer(world.token('adele', { scopes: ['Profile.Read'] })),
    'Mcp-Method: tools/call',
    'Mcp-Name: =?base64?dA==?=',
    'Mcp-Param-region_id: =?base64?w6Q=?=',
    'mcp_param_x: dropped',
    'Mcp-Session-Id: s1',
    'Last-Event-ID: 5',
    'Content-Length: 0',
  ]);
  expect(response.status).toBe(200);
  const returned = ['mcp-session-id', 'mcp-protocol-version', 'x-accel-buffering'];
  expect(returned.map((name) => response.header(name))).toEqual(['s1', '2026-07-28', 'no']);
  const { rawHeaders, url } = world.downstream.last;
  expect(url).toBe('/base/mcp');
  const passed = ['mcp-method', 'mcp-name', 'mcp-param-region_id', 'mcp_param_x', 'mcp-session-id', 'last-event-id'];
  expect(passed.map((name) => valuesOf(rawHeaders, name)[0])).toEqual([
    'tools/call',
    '=?base64?dA==?=',
    '=?base64?w6Q=?=',
    undefined,
    's1',
    '5',
  ]);
});

describe('a tool', () => {
  it('without rules of its own is called by whoever may connect', async () => {
    const body = call('read_file');
    expect((await post(body)).status).toBe(200);
    expect(world.downstream.last.body.toString()).toBe(body);
  });

  it('with a scope of its own is refused with the scopes to come back with', async () => {
    const response = await post(call('write_file'));
    expect(response.status).toBe(403);
    expect(parametersOf(response)).toMatchObject({
      error: 'insufficient_scope',
      scope: `${READ} ${WRITE}`,
      resource_metadata: METADATA,
    });
    expect(world.downstream.requests).toHaveLength(0);
    expect((await post(call('write_file'), { token: writer })).status).toBe(200);
  });

  it('with an authentication context is refused with the claims to come back with, where the client takes them', async () => {
    const scopes = ['Orders.Read', 'Orders.ReadWrite'];
    const response = await post(call('delete_file'), {
      token: world.token('adele', { scopes, capabilities: ['cp1'] }),
    });
    expect(response.status).toBe(401);
    expect(parametersOf(response)).toMatchObject({
      error: 'insufficient_claims',
      cc_type: 'authcontext',
      resource_metadata: METADATA,
    });
    const strong = world.token('adele', { scopes, acrs: ['c1'] });
    expect((await post(call('delete_file'), { token: strong })).status).toBe(200);
    const other = await post(call('delete_file'), { token: writer });
    expect([other.status, (await readProblem(other)).code]).toEqual([403, 'client_not_capable']);
  });

  it('with rules of its own is named in the log, and no other is', async () => {
    const tools = [];
    for (const name of ['write_file', 'read_file']) {
      const response = await post(call(name));
      tools.push((await world.log.of(response.headers.get('x-request-id')))['tool']);
    }
    expect(tools).toEqual(['write_file', undefined]);
  });

  it('that asks for a caller refuses one who needed no token to connect', async () => {
    expect((await postAnonymously(call('read_file'))).status).toBe(200);
    const refused = await postAnonymously(call('write_file'));
    expect(refused.status).toBe(401);
    expect(parametersOf(refused)).toMatchObject({ scope: `${PUBLIC_URL}/optional/Tools.Write` });
    const other = await post(call('write_file'), { path: '/optional' });
    expect([other.status, (await readProblem(other)).code]).toEqual([403, 'insufficient_scope']);
  });

  it('that asks for a context refuses one who has no token', async () => {
    const refused = await postAnonymously(call('prove_file'));
    expect([refused.status, parametersOf(refused)['scope']]).toEqual([401, `${PUBLIC_URL}/optional/Tools.Read`]);
    expect(world.downstream.requests).toHaveLength(0);
  });

  it('that asks for a context tells one who is nobody for the server, and knows no claims, that it cannot be had', async () => {
    const token = world.token('adele', { scopes: ['Tools.Write'] });
    const refused = await post(call('seal_file'), { path: '/optional', token });
    expect([refused.status, (await readProblem(refused)).code]).toEqual([403, 'client_not_capable']);
  });

  it('may have 10 MB of arguments, and no more than the limit', async () => {
    const body = call('read_file', { arguments: { text: 'a'.repeat(10_000_000) } });
    expect((await post(body)).status).toBe(200);
    expect(world.downstream.last.body.length).toBe(body.length);
    expect((await post(call('read_file', { arguments: { text: 'a'.repeat(13_000_000) } }))).status).toBe(413);
  });

  it('leaves the room of its arguments to others while its answer goes on', async () => {
    world.downstream.answer = (req, res) => {
      req
        .resume()
        .on('end', () => res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': still here\n\n'));
    };
    const body = call('read_file', { arguments: { text: 'x'.repeat(10_000_000) } });
    const streams = [];
    for (let opened = 0; opened < 8; opened += 1) {
      streams.push(await post(body));
    }
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    for (const stream of streams) {
      await stream.body?.cancel();
    }
  });

  it.each(['2025-03-26', '2026-07-28', '2099-01-01', 'none'])('has its rules in the revision %s', async (revision) => {
    const headers = { 'mcp-protocol-version': revision, 'mcp-method': 'tools/call', 'mcp-name': 'write_file' };
    expect((await post(call('write_file'), { headers })).status).toBe(403);
    expect((await post(call('write_file'), { headers, token: writer })).status).toBe(200);
  });
});

describe('what cannot be decided never passes:', () => {
  const safe = { 'mcp-method': 'tools/call', 'mcp-name': 'read_file' };
  const dangerous = call('write_file');
  const LIST = '{"jsonrpc":"2.0","id":7,"method":"tools/list"}';
  const NAMELESS_PROMPT = '{"jsonrpc":"2.0","id":7,"method":"prompts/get"}';

  it.each<[string, string | Uint8Array<ArrayBuffer>, Readonly<Record<string, string>>, number, unknown]>([
    ['a safe header and a dangerous body', dangerous, safe, -32_020, 7],
    ['a dangerous header and a safe body', call('read_file'), { ...safe, 'mcp-name': 'write_file' }, -32_020, 7],
    ['another method in the header', dangerous, { 'mcp-method': 'tools/list' }, -32_020, 7],
    [
      'a header that hides its value',
      call('read_file'),
      { ...safe, 'mcp-name': '=?base64?d3JpdGVfZmlsZQ==?=' },
      -32_020,
      7,
    ],
    ['a header in bad base64', call('read_file'), { ...safe, 'mcp-name': '=?base64?cmVhZF9maWxl=?=' }, -32_020, 7],
    ['a name in the header where the body has none', LIST, { 'mcp-name': 'read_file' }, -32_020, 7],
    ['a name in the header for a prompt without one', NAMELESS_PROMPT, { 'mcp-name': 'p' }, -32_020, 7],
    ['a name in the header for an answer', '{"id":7,"result":{}}', { 'mcp-name': 'p' }, -32_020, 7],
    ['a header for an answer', '{"id":7,"result":{}}', { 'mcp-method': 'tools/list' }, -32_020, 7],
    ['a bad header for an answer', '{"id":7,"result":{}}', { 'mcp-method': '=?base64?cGluZw?=' }, -32_020, 7],
    ['a tool in capitals', call('Write_File'), {}, -32_600, 7],
    ['a tool with spaces around it', call(' write_file\n'), {}, -32_600, 7],
    ['a tool that ends where some stop', call('write_file\0safe'), {}, -32_600, 7],
    ['a tool in wide letters', call('\uFF57rite_file'), {}, -32_600, 7],
    ['a tool with a letter whose capital is the same', call('wr\u0131te_file'), {}, -32_600, 7],
    ['a tool with a letter whose small one is the same', call('wr\u0130te_file'), {}, -32_600, 7],
    ['a tool with an accent', call('write_fil\u00E9'), {}, -32_600, 7],
    ['a tool with what nobody sees', call(`write${'\u200B\u00AD'.repeat(1_000)}_file`), {}, -32_600, 7],
    ['a tool with control characters', call('\0write\u0001_\0file'), {}, -32_600, 7],
    ['a tool with an accent that stands alone', call('write_file\u00A8'), {}, -32_600, 7],
    ['a tool with half a character', call('write_file\uD800'), {}, -32_600, 7],
    ['a batch', `[${call('read_file')},${dangerous}]`, safe, -32_600, null],
    ['two names', dangerous.replace('"name"', '"name":"read_file","name"'), safe, -32_600, 7],
    [
      'two names, one with an escape',
      dangerous.replace('"name"', String.raw`"name":"read_file","\u006eame"`),
      safe,
      -32_600,
      7,
    ],
    ['a byte order mark', `\u{FEFF}${dangerous}`, safe, -32_600, null],
    [
      'an encoded body',
      new Uint8Array(gzipSync(call('read_file'))),
      { ...safe, 'content-encoding': 'gzip' },
      -32_600,
      null,
    ],
    ['a body that says it is not encoded', call('read_file'), { 'content-encoding': 'identity' }, -32_600, null],
    ['a body that is said to be text', dangerous, { 'content-type': 'text/plain' }, -32_600, null],
    ['a form', dangerous, { 'content-type': 'application/x-www-form-urlencoded' }, -32_600, null],
    ['JSON in another charset', dangerous, { 'content-type': 'application/json; charset=utf-16' }, -32_600, null],
    [
      'deep nesting',
      call('read_file', { arguments: JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`) as unknown }),
      safe,
      -32_600,
      7,
    ],
    ['nothing', '', safe, -32_600, null],
  ])('%s', async (_case, body, headers, code, id) => {
    const response = await post(body, { headers });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id, error: { code, message: expect.any(String) } });
    expect(world.downstream.requests).toHaveLength(0);
  });

  it.each([
    ['Mcp-Method: tools/call', 'Mcp-Method: tools/call', 'tools/call', 'read_file'],
    ['Mcp-Name: read_file', 'Mcp-Name: write_file', 'tools/call', 'read_file'],
    ['Mcp-Name: read_file', 'Mcp-Name: write_file', 'tools/call', 'read_file, write_file'],
    ['Mcp-Name: x', 'Mcp-Name: x', 'tools/list', undefined],
    ['Mcp-Name: x', 'Mcp-Name: x', 'files/find', undefined],
  ])('two headers, %s and %s', async (first, second, method, name) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { name } });
    const response = await rawRequest(
      world.port,
      [
        'POST /mcp HTTP/1.1',
        'Host: api',
        bearer(reader),
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        first,
        second,
      ],
      body,
    );
    expect([response.status, JSON.parse(response.body)]).toMatchObject([400, { error: { code: -32_020 } }]);
    expect(world.downstream.requests).toHaveLength(0);
  });

  it.each(['GET', 'DELETE'])('a %s with a body', async (method) => {
    const response = await rawRequest(
      world.port,
      [
        `${method} /mcp HTTP/1.1`,
        'Host: api',
        bearer(reader),
        'Content-Type: application/json',
        `Content-Length: ${dangerous.length}`,
      ],
      dangerous,
    );
    expect([response.status, JSON.parse(response.body)]).toMatchObject([400, { error: { code: -32_600 } }]);
    expect(world.downstream.requests).toHaveLength(0);
  });

  it('the name of the header where it is as it should be, encoded or not', async () => {
    expect((await post(call('read_file'), { headers: safe })).status).toBe(200);
    expect(
      (await post(call('read_file'), { headers: { ...safe, 'mcp-name': '=?base64?cmVhZF9maWxl?=' } })).status,
    ).toBe(200);
    const unknown = '{"jsonrpc":"2.0","id":7,"method":"files/find","params":{"file":"x"}}';
    expect((await post(unknown, { headers: { 'mcp-name': 'x' } })).status).toBe(200);
    expect(
      (await post(call('read_file'), { headers: { 'content-type': 'Application/JSON; charset="UTF-8"' } })).status,
    ).toBe(200);
  });

  it('a call that an engine carries, whose body nobody sees', async () => {
    for (const dialect of CHECKS) {
      const headers = [bearer(reader), 'Content-Type: application/json'];
      const { status } = await ask(world, dialect, { method: 'POST', target: '/mcp', headers });
      expect([dialect, status]).toEqual([dialect, dialect === 'nginx' ? 401 : 403]);
    }
    expect(world.log.text).toContain('an engine shows no body');
    const token = bearer(world.token('adele', { scopes: ['Profile.Read'] }));
    expect((await ask(world, 'forward-auth', { method: 'POST', target: '/plain', headers: [token] })).status).toBe(200);
  });
});

it('without rules for tools no body is looked at or held', async () => {
  let seen = '';
  world.downstream.answer = (req, res) => {
    req.setEncoding('utf8').on('data', (piece: string) => {
      seen += piece;
    });
    req.on('end', () => res.end());
  };
  let sendRest: ((rest: string) => void) | undefined;
  const rest = new Promise<string>((resolve) => {
    sendRest = resolve;
  });
  const body = (async function* () {
    yield Buffer.from('[{"no": ');
    yield Buffer.from(await rest);
  })();
  const answered = world.call('/open', { method: 'POST', body, duplex: 'half' });
  await until('the first piece is there', () => seen !== '');
  sendRest?.('json');
  expect((await answered).status).toBe(200);
  expect(seen).toBe('[{"no": json');
});

import { describe, expect, it } from '@jest/globals';
import { missingToken, type FixedAnswer } from './hostile-gateway.ts';
import { answerRight, json, metadata, publicJson, smallContract, verifySmall, wrongMethod } from './small-gateway.ts';

const CONTRACT = '/openapi.json';
const METADATA = '/.well-known/oauth-protected-resource';

/** Verifies a gateway that is right but for one of its documents, and picks the line about it. */
async function verifyDocument(
  path: string,
  answer: FixedAnswer | ((method: string) => FixedAnswer),
  trial = 'as a document',
): Promise<{ code: number; line: string | undefined }> {
  const { code, out } = await verifySmall((request) =>
    request.path === path ? (typeof answer === 'function' ? answer(request.method) : answer) : answerRight(request),
  );
  return { code, line: out.find((one) => one.includes(`  ${path}  ${trial}`)) };
}

describe('the documents of a gateway', () => {
  it('pass where they are as they should be', async () => {
    const { code, out } = await verifySmall(answerRight);
    expect(out.filter((line) => /\/openapi\.json|\.well-known/.test(line))).toEqual([
      'pass  /openapi.json  as a document',
      'pass  /openapi.json  as HEAD',
      'pass  /openapi.json  with the method OPTIONS',
      'pass  /.well-known/oauth-protected-resource  as a document',
      'pass  /.well-known/oauth-protected-resource  as HEAD',
      'pass  /.well-known/oauth-protected-resource  with the method OPTIONS',
    ]);
    expect(code).toBe(0);
  });

  it('are looked for below the prefix of a contract first', async () => {
    const { out, requests } = await verifySmall(
      (request) =>
        request.path === '/small/openapi.json' ? publicJson(smallContract) : answerRight(request, '/small'),
      { urlPath: '/small' },
    );
    expect(requests.filter((request) => request.endsWith('/openapi.json'))).not.toContain('GET /openapi.json');
    expect(out).toContain('pass  /openapi.json  as a document');
  });

  it.each([CONTRACT, METADATA])('that are not there fail once: %s', async (path) => {
    const missing = { ...json({}), status: 404 };
    expect(await verifyDocument(path, missing)).toEqual({
      code: 1,
      line: `FAIL  ${path}  as a document  (expected 200, got 404)`,
    });
    expect((await verifyDocument(path, missing, 'as HEAD')).line).toBe(`skip  ${path}  as HEAD  (it is not there)`);
  });

  it.each<[string, FixedAnswer, string]>([
    ['are kept from pages', json(smallContract), 'expected Access-Control-Allow-Origin: *, got none'],
    ['ask for a token', missingToken(CONTRACT), 'expected 200, got 401'],
    ['are no JSON', { ...publicJson({}), body: 'openapi: 3.1.0' }, 'expected a JSON object'],
    [
      'call themselves something else',
      { ...publicJson(smallContract), headers: { 'content-type': 'text/html', 'access-control-allow-origin': '*' } },
      'expected the content type application/json, got text/html',
    ],
  ])('fail where they %s', async (_case, answer, sentence) => {
    const { code, line } = await verifyDocument(CONTRACT, answer);
    expect(line).toContain(sentence);
    expect(code).toBe(1);
  });

  it.each([CONTRACT, METADATA])('are read and nothing else: %s', async (path) => {
    const letIn = (): FixedAnswer => publicJson(path === CONTRACT ? smallContract : metadata);
    const { line } = await verifyDocument(path, letIn, 'with the method OPTIONS');
    expect(line).toContain('expected 405 method_not_allowed, got 200');
    const allow = (method: string): FixedAnswer => (method === 'OPTIONS' ? wrongMethod(path, 'GET') : letIn());
    expect((await verifyDocument(path, allow, 'with the method OPTIONS')).line).toContain(
      'expected Allow to name GET, HEAD, got GET',
    );
  });
});

describe('the published contract', () => {
  const { paths } = smallContract;
  it.each<[string, object, string]>([
    ['another kind of document', { swagger: '2.0' }, 'expected an OpenAPI document, got one that is Swagger 2.0'],
    ['no OpenAPI of ours', { ...smallContract, openapi: '4.0.0' }, 'has the OpenAPI version "4.0.0"'],
    ['no paths', { ...smallContract, paths: undefined }, 'expected the document to have paths'],
    ['an extension at its root', { ...smallContract, 'x-downstream': {} }, 'got /x-downstream'],
    [
      'an extension deep inside',
      { ...smallContract, paths: { ...paths, '/jobs': { post: { ...paths['/jobs'].post, 'x-gateway': {} } } } },
      'expected no key that begins with x-, got /paths/~1jobs/post/x-gateway',
    ],
    [
      'an extension in a schema',
      { ...smallContract, components: { schemas: { A: { properties: { 'x-b': { 'x-c': 1 } } } } } },
      'got /components/schemas/A/properties/x-b/x-c',
    ],
    ['no server', { ...smallContract, servers: undefined }, 'expected one server'],
    ['two servers', { ...smallContract, servers: [{ url: 'https://a' }, { url: 'https://b' }] }, 'expected one server'],
    ['a relative server', { ...smallContract, servers: [{ url: '/v1' }] }, 'expected one server'],
    ['a server of another kind', { ...smallContract, servers: [{ url: 'javascript:0' }] }, 'expected one server'],
    [
      'too few operations',
      { ...smallContract, paths: { '/status': paths['/status'], '/jobs': { get: {} } } },
      'expected the operations of the contract, got none for GET /things/{id}, POST /jobs',
    ],
  ])('fails with %s', async (_case, document, sentence) => {
    expect((await verifyDocument(CONTRACT, publicJson(document))).line).toContain(sentence);
  });

  it('may have names that only look like extensions, and data', async () => {
    const components = {
      headers: { 'x-total': { schema: { type: 'integer' } } },
      schemas: { A: { properties: { 'x-b': {} }, default: { 'x-d': 1 } } },
      examples: { e: { value: { 'x-e': 1 } } },
    };
    const { line } = await verifyDocument(CONTRACT, publicJson({ ...smallContract, components }));
    expect(line).toBe('pass  /openapi.json  as a document');
  });

  it('may be nested more deeply than any stack is high', async () => {
    const depth = 20_000;
    const schema = `${'{"not":'.repeat(depth)}{"x-a":1}${'}'.repeat(depth)}`;
    const { openapi, info, servers, paths: all } = smallContract;
    const text = JSON.stringify({ openapi, info, servers, paths: all, components: { schemas: { A: 0 } } });
    const { line } = await verifyDocument(CONTRACT, {
      ...publicJson({}),
      body: text.replace('"A":0', `"A":${schema}`),
    });
    expect(line).toContain('expected no key that begins with x-, got /components/schemas/A/not/not');
  });
});

describe('the metadata of the resource', () => {
  it.each<[string, object, string]>([
    ['no resource', { ...metadata, resource: undefined }, 'expected resource to be an http or https address'],
    ['a resource with a fragment', { ...metadata, resource: 'https://a/#b' }, 'without a fragment'],
    ['no authorization server', { ...metadata, authorization_servers: [] }, 'expected authorization_servers'],
    ['a strange server', { ...metadata, authorization_servers: ['mailto:a@b'] }, 'expected authorization_servers'],
    ['no scopes', { ...metadata, scopes_supported: undefined }, 'expected scopes_supported to be a list of texts'],
    ['scopes that are none', { ...metadata, scopes_supported: ['Read', 1] }, 'expected scopes_supported to be a list'],
    ['too few scopes', { ...metadata, scopes_supported: ['Other'] }, 'expected scopes_supported to name Read'],
  ])('fail with %s', async (_case, document, sentence) => {
    const { code, line } = await verifyDocument(METADATA, publicJson(document));
    expect(line).toContain(sentence);
    expect(code).toBe(1);
  });
});

describe('an MCP server', () => {
  const path = '/mcp';
  const MCP_METADATA = `${METADATA}${path}`;
  const contract = {
    ...smallContract,
    paths: {
      '/status': smallContract.paths['/status'],
      [path]: { 'x-mcp-server': { legacy: false, security: [{ oidc: ['https://a/mcp/read'] }, { oidc: ['other'] }] } },
    },
    components: { securitySchemes: { oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://a' } } },
  };

  /** The lines about it, where its metadata names these scopes. */
  async function verifyServer(scopes: readonly string[]): Promise<readonly string[]> {
    const own = { ...metadata, resource: `${metadata.resource}${path}`, scopes_supported: scopes };
    const { out } = await verifySmall(
      (request) =>
        request.path === MCP_METADATA && request.method !== 'OPTIONS' ? publicJson(own) : answerRight(request),
      { contract },
    );
    return out.filter((line) => /mcp|\.well-known/.test(line));
  }

  it('has metadata of its own with what it takes to connect, and those of the API do without it', async () => {
    const lines = await verifyServer(['https://a/mcp/read']);
    expect(lines).toContain(`pass  ${METADATA}  as a document`);
    expect(lines).toContain(`pass  ${MCP_METADATA}  as a document`);
    expect(lines).toContainEqual(expect.stringMatching(/^skip {2}mcp \/mcp POST {2}well {2}\(only an MCP client/));
  });

  it('fails where its metadata name something else', async () => {
    expect(await verifyServer(['other'])).toContainEqual(
      expect.stringContaining('expected scopes_supported to name https://a/mcp/read'),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { answerRight, json, smallContract, verifySmall } from './small-gateway.ts';

/** Verifies a gateway whose `/status` is declared and answered so, and gives the line about it. */
async function verifyAnswer(
  content: object,
  contentType: string,
  body: string,
  document: object = {},
): Promise<string | undefined> {
  const { paths } = smallContract;
  const get = { ...paths['/status'].get, responses: { '200': { description: 'Well.', content } } };
  const contract = { ...smallContract, paths: { ...paths, '/status': { get } }, ...document };
  const answer = { ...json({}), headers: { 'content-type': contentType }, body };
  const { out } = await verifySmall(
    (request) => (request.path === '/status' && request.method !== 'OPTIONS' ? answer : answerRight(request)),
    { contract },
  );
  return out.find((line) => line.includes('  getStatus  well'));
}

const PASS = 'pass  getStatus  well';
const MISMATCH = 'FAIL  getStatus  well  (expected the body to match the contract: at /a must be number)';
const NUMBER = { schema: { properties: { a: { type: 'number' } } } };

describe('an answer that is JSON', () => {
  it.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['text/json', 'text/json'],
    ['application/*+json', 'application/vnd.contoso+json'],
    ['application/*', 'application/json'],
    ['*/*', 'application/json'],
    ['application/json; v=1', 'application/json'],
  ])('is compared with the schema of %s when it is %s', async (range, contentType) => {
    expect(await verifyAnswer({ [range]: NUMBER }, contentType, '{"a":1}')).toBe(PASS);
    expect(await verifyAnswer({ [range]: NUMBER }, contentType, '{"a":"1"}')).toBe(MISMATCH);
  });

  it.each([
    ['another type under a range', { '*/*': NUMBER }, 'text/plain', 'a'],
    ['bytes of any type', { '*/*': { schema: { type: 'string', format: 'binary' } } }, 'application/json', '{}'],
    ['what nothing is said of', { 'application/json': {} }, 'application/json', '[]'],
  ])('is not compared with a schema for %s', async (_case, content, contentType, body) => {
    expect(await verifyAnswer(content, contentType, body)).toBe(PASS);
  });

  it('has the narrowest of the types that fit', async () => {
    const content = { '*/*': { schema: false }, 'application/*': { schema: false }, 'application/*+json': NUMBER };
    expect(await verifyAnswer(content, 'application/hal+json', '{"a":1}')).toBe(PASS);
    expect(await verifyAnswer(content, 'application/json', '{"a":1}')).toMatch(/^FAIL/);
  });
});

describe('an answer of an OpenAPI 3.0 contract', () => {
  const properties = {
    id: { type: 'string', readOnly: true },
    secret: { type: 'string', writeOnly: true },
    note: { type: 'string', nullable: true },
  };
  const content = { 'application/json': { schema: { required: ['id', 'secret', 'note'], properties } } };
  const v30 = { openapi: '3.0.3' };

  it.each([
    ['needs no member that is for requests only', '{"id":"1","note":null}', PASS],
    ['needs the members that are for answers only', '{"secret":"s","note":""}', /required property 'id'/],
    ['is null where the contract says so', '{"id":null,"note":null}', /at \/id must be string/],
  ])('%s', async (_case, body, told) => {
    const line = await verifyAnswer(content, 'application/json', body, v30);
    expect(line).toMatch(told);
  });
});

describe('formats', () => {
  const content = { 'application/json': { schema: { type: 'string', format: 'date' } } };

  it.each([
    ['assert', /^FAIL.*must match format "date"/],
    ['annotate', PASS],
  ])('count as the root of the contract says: %s', async (formats, told) => {
    expect(await verifyAnswer(content, 'application/json', '"soon"', { 'x-formats': formats })).toMatch(told);
  });
});

describe('a refusal of the gateway', () => {
  const error = { schema: { required: ['apiError'] } };

  it.each([
    ['JSON', { content: { 'application/json': error } }],
    ['anything', { content: { '*/*': error } }],
    ['a header', { headers: { 'X-Error': { required: true, schema: { type: 'integer' } } } }],
  ])('is not compared with the errors of the API behind, declared as %s', async (_kind, response) => {
    const { paths } = smallContract;
    const { get } = paths['/things/{id}'];
    const responses = { ...get.responses, '4XX': { description: 'An error of the API.', ...response } };
    const contract = { ...smallContract, paths: { ...paths, '/things/{id}': { get: { ...get, responses } } } };
    const { out } = await verifySmall(answerRight, { contract });
    expect(out).toContain('pass  getThing  without a token');
  });
});

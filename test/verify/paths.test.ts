import { describe, expect, it } from '@jest/globals';
import { listPlaces } from '../../src/verify/places.ts';
import { missingToken, type FixedAnswer } from './hostile-gateway.ts';
import {
  answerRight,
  json,
  refusal,
  smallContract,
  verifySmall,
  wrongMethod,
  type SeenRequest,
} from './small-gateway.ts';

/** A gateway that is right but for one path and method. */
function wrongAt(place: string, answer: FixedAnswer): (request: SeenRequest) => FixedAnswer {
  return (request) => (place === `${request.method} ${request.path}` ? answer : answerRight(request));
}

describe('paths that the contract does not have', () => {
  it('pass where they are 404, at the root and below an operation', async () => {
    const { out, requests } = await verifySmall(answerRight);
    expect(out.filter((line) => line.includes('unknown paths'))).toEqual([
      'pass  unknown paths  GET /not-in-the-contract',
      'pass  unknown paths  GET /not-in-the-contract/at-all',
      'pass  unknown paths  GET /status/not-in-the-contract',
    ]);
    expect(requests).toContain('GET /status/not-in-the-contract');
  });

  const path = '/not-in-the-contract';
  it.each<[string, FixedAnswer, string]>([
    ['are let in', json({}), 'expected 404 not_found, got 200'],
    ['ask for a token', missingToken(path), 'expected 404 not_found, got 401 missing_token'],
    ['are 404 in other words', { status: 404, headers: {}, body: 'Not Found' }, 'expected 404 not_found, got 404'],
    [
      'tell of the inside',
      refusal(path, 404, 'not_found', { 'x-trace': 'at find (/app/dist/journey.js:5:1)' }),
      'expected nothing internal in the answer',
    ],
    ['carry a challenge', { ...missingToken(path), ...refusal(path, 404, 'not_found', challenge()) }, 'no challenge'],
  ])('fail where they %s', async (_case, answer, sentence) => {
    const { code, out } = await verifySmall(wrongAt(`GET ${path}`, answer));
    expect(out.find((line) => line.includes(`unknown paths  GET ${path} `))).toContain(sentence);
    expect(code).toBe(1);
  });

  it('are named as not tried where an operation takes every path', async () => {
    const contract = structuredClone(smallContract) as { paths: object };
    contract.paths = { '/{all}': smallContract.paths['/status'] };
    const { out } = await verifySmall(answerRight, { contract: withParameter(contract) });
    expect(out).toContain('skip  unknown paths  a path that no operation has  (the contract has every path)');
  });
});

function challenge(): object {
  return { 'www-authenticate': missingToken('/').headers['www-authenticate'] };
}

function withParameter(contract: { paths: object }): object {
  const [item] = Object.values(contract.paths) as object[];
  const parameters = [{ name: 'all', in: 'path', required: true, schema: { type: 'string' } }];
  return { ...contract, paths: { '/{all}': { ...item, parameters } } };
}

describe('methods that a path does not have', () => {
  it('pass where they are 405, and nothing that changes data is sent without --write', async () => {
    const { out, requests } = await verifySmall(answerRight);
    expect(out.filter((line) => line.includes('with the method'))).toEqual([
      'pass  /status  with the method OPTIONS',
      'pass  /things/{id}  with the method OPTIONS',
      'pass  /jobs  with the method GET',
      'pass  /openapi.json  with the method OPTIONS',
      'pass  /.well-known/oauth-protected-resource  with the method OPTIONS',
    ]);
    const changing = requests.filter((request) => /^(?:DELETE|PATCH|PUT) /.test(request));
    expect(changing).toEqual([]);
  });

  it('are also sent when they would change data with --write', async () => {
    const { out } = await verifySmall(answerRight, { args: ['--write'] });
    expect(out).toContain('pass  /jobs  with the method DELETE');
  });

  it.each<[string, FixedAnswer, string]>([
    ['are let in', json({}), 'expected 405 method_not_allowed, got 200'],
    ['are answered like an unknown path', refusal('/jobs', 404, 'not_found'), 'got 404 not_found'],
    ['come without Allow', refusal('/jobs', 405, 'method_not_allowed'), 'expected Allow with the methods of the path'],
    ['come with too few methods', wrongMethod('/jobs', 'GET'), 'expected Allow to name POST, got GET'],
    ['come with too many', wrongMethod('/jobs', 'POST, DELETE'), 'expected Allow to name POST, got POST, DELETE'],
  ])('fail where they %s', async (_case, answer, sentence) => {
    const { code, out } = await verifySmall(wrongAt('GET /jobs', answer));
    expect(out.find((line) => line.startsWith('FAIL  /jobs  with the method GET'))).toContain(sentence);
    expect(code).toBe(1);
  });

  it('are those of the more concrete path where two fit', async () => {
    const contract = structuredClone(smallContract) as unknown as { paths: Record<string, object> };
    contract.paths['/things/sample'] = { delete: { security: [], responses: { '204': { description: 'Gone.' } } } };
    const { requests, out } = await verifySmall(answerRight, { contract });
    expect(requests).toContain('GET /things/sample');
    expect(out.find((line) => line.includes('/things/sample  with the method GET'))).toContain('got 401 missing_token');
  });
});

function below(server: string): object {
  return { ...smallContract, servers: [{ url: server }] };
}

describe('the address', () => {
  it.each([
    ['the path of the first server is added', below('https://pets.example/api/v3/'), ''],
    ['… also where it is relative', below('/api/v3'), '/'],
    ['… unless the address has a path', below('https://pets.example/v2'), '/api/v3'],
    ['… which may end in a slash', below('https://pets.example'), '/api/v3/'],
  ])('%s', async (_case, contract, urlPath) => {
    const { out } = await verifySmall((request) => answerRight(request, '/api/v3'), { contract, urlPath });
    const failed = out.filter((line) => line.startsWith('FAIL'));
    expect(failed).toEqual([]);
    expect(out).toContain('pass  getStatus  well');
  });

  it('may be followed by a prefix that a proxy takes away before the gateway sees it', async () => {
    const { out } = await verifySmall(
      ({ method, path, token }) => answerRight({ method, token, path: path.replace('/api', '') }),
      { urlPath: '/api' },
    );
    expect(out.filter((line) => line.startsWith('FAIL'))).toEqual([]);
  });

  it('ends the command where its path cannot be read from the contract', async () => {
    const { code, errors } = await verifySmall(answerRight, { contract: below('https://{host}/x') });
    expect(errors.join('\n')).toContain('https://{host}/x');
    expect(code).toBe(2);
  });

  it('leads to documents beside the operations or above them', () => {
    expect(listPlaces('/a/b', '/openapi.json')).toEqual(['/a/b/openapi.json', '/a/openapi.json', '/openapi.json']);
    expect(listPlaces('', '/openapi.json')).toEqual(['/openapi.json']);
  });
});

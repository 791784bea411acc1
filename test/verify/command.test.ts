import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DemoWorld } from '../../dev/world.ts';
import { startWorld } from '../../dev/world.ts';
import { TOKENS } from '../../src/verify/tokens.ts';
import { challengeWith, missingToken, startHostileGateway, type FixedAnswer } from './hostile-gateway.ts';
import { runVerify } from './small-gateway.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const OPENAPI = new URL('../../openapi.yaml', import.meta.url).pathname;

describe('obo-gateway verify against the demo world', () => {
  let world: DemoWorld;
  // One for each test, because the gateway notices who comes back too often.
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(async () => {
    await world.close();
  });

  /** Every token; those that lack the step-up are so many seconds old. */
  function env(age = 0): Record<string, string> {
    const { emulator } = world;
    const iat = Math.floor(Date.now() / 1_000) - age;
    return {
      VERIFY_USER_TOKEN: emulator.issueAccessToken({ user: 'adele', claims: { iat } }),
      VERIFY_USER_TOKEN_NO_SCOPE: emulator.issueAccessToken({ user: 'adele', scopes: ['Other'] }),
      VERIFY_USER_TOKEN_STEPPED_UP: emulator.issueAccessToken({ user: 'adele', acrs: ['c1'] }),
      VERIFY_APP_TOKEN: emulator.issueAccessToken({ app: 'daemon' }),
    };
  }

  it('passes everything and exits 0 with every token and --write', async () => {
    const { code, out } = await runVerify(['--contract', OPENAPI, '--url', world.gatewayUrl, '--write'], env());
    expect(out.filter((line) => !/^(?:pass|unmet) /.test(line))).toEqual([
      expect.stringMatching(/^coverage {2}(\d+) of \1 operations, (\d+) of \2 parameters, (\d+) of \3 bodies, /),
      expect.stringMatching(/^\d+ passed, 0 failed, 0 skipped$/),
    ]);
    expect(out.filter((line) => line.startsWith('unmet')).join('\n')).not.toMatch(/ 2\d\d/);
    expect(code).toBe(0);
  });

  it('skips calls that change data without --write, and no such call reaches an API', async () => {
    const before = world.orders.requests.length;
    const { code, out } = await runVerify(['--contract', OPENAPI, '--url', world.gatewayUrl], env());
    expect(out).toContain('skip  createOrder  well  (it changes data; --write allows it)');
    const methods = world.orders.requests.slice(before).map(({ method }) => method);
    expect([...new Set(methods)].toSorted()).toEqual(['GET', 'HEAD']);
    expect(code).toBe(0);
  });

  it('skips with a word what it has no token for', async () => {
    const { code, out } = await runVerify(['--contract', OPENAPI, '--url', world.gatewayUrl]);
    expect(out).toEqual(
      expect.arrayContaining([
        'pass  getStatus  well',
        'pass  getProfile  without a token',
        'skip  getProfile  without the scope  (no VERIFY_USER_TOKEN_NO_SCOPE)',
        'skip  getProfile  as an app  (no VERIFY_APP_TOKEN)',
        'skip  getProfile  well  (no VERIFY_USER_TOKEN or VERIFY_USER_TOKEN_STEPPED_UP)',
      ]),
    );
    expect(code).toBe(0);
  });

  it('finds the step-up of a published contract by the answers', async () => {
    const published = join(folder, 'published.json');
    await writeFile(published, await (await fetch(`${world.gatewayUrl}/openapi.json`)).text());
    const { code, out } = await runVerify(['--contract', published, '--url', world.gatewayUrl, '--write'], env());
    expect(out).toContain('pass  approvePayout  without the step-up');
    expect(out).toContain('pass  approvePayout  well');
    expect(code).toBe(0);
  });

  it('says which token has the proof that is asked for', async () => {
    const published = join(folder, 'published-too.json');
    await writeFile(published, await (await fetch(`${world.gatewayUrl}/openapi.json`)).text());
    const { VERIFY_USER_TOKEN = '' } = env();
    const args = ['--contract', published, '--url', world.gatewayUrl, '--write'];
    const { out } = await runVerify(args, { VERIFY_USER_TOKEN });
    expect(out).toContain('skip  approvePayout  well  (more proof is asked for; no VERIFY_USER_TOKEN_STEPPED_UP)');
  });

  it('takes the end of a step-up loop for what it is', async () => {
    const args = ['--contract', OPENAPI, '--url', world.gatewayUrl];
    await runVerify(args, env(2));
    await runVerify(args, env(1));
    const { code, out } = await runVerify(args, env());
    expect(out).toContainEqual(
      expect.stringMatching(/^skip {2}approvePayout {2}without the step-up {2}\(.* ten minutes\)$/),
    );
    expect(code).toBe(0);
  });
});

describe('obo-gateway verify that cannot begin', () => {
  it.each([
    ['without a contract', ['--url', 'http://localhost:1'], 'verify needs --contract'],
    ['without an address', ['--contract', OPENAPI], 'verify needs --url'],
    ['an address that is none', ['--contract', OPENAPI, '--url', 'localhost:8080'], '--url: must be the http or https'],
    ['a contract that is not there', ['--contract', '/nowhere.yaml', '--url', 'http://localhost:1'], 'cannot be read'],
  ])('exits 2: %s', async (_case, args, message) => {
    const { code, errors } = await runVerify(args);
    expect(errors.join('\n')).toContain(message);
    expect(code).toBe(2);
  });

  it('exits 1 when nothing answers', async () => {
    const gateway = await startHostileGateway(() => missingToken('/'));
    await gateway.close();
    const { code, errors } = await runVerify(['--contract', OPENAPI, '--url', gateway.url]);
    expect(errors).toEqual([`nothing answers at ${gateway.url}/ (ECONNREFUSED)`]);
    expect(code).toBe(1);
  });

  it('names every token in --help', async () => {
    const { out } = await runVerify(['--help']);
    for (const { variable } of Object.values(TOKENS)) {
      expect(out.join('\n')).toContain(variable);
    }
  });
});

/** One operation for users, and what it answers. */
const CONTRACT = {
  openapi: '3.1.0',
  info: { title: 'One operation', version: '1' },
  components: {
    securitySchemes: {
      person: {
        type: 'oauth2',
        flows: {
          authorizationCode: { authorizationUrl: 'https://a', tokenUrl: 'https://t', scopes: { Read: 'Look' } },
        },
      },
    },
  },
  paths: {
    '/things': {
      get: {
        operationId: 'listThings',
        security: [{ person: ['Read'] }],
        responses: {
          '200': {
            description: 'Them.',
            headers: { 'X-Total': { required: true, schema: { type: 'integer' } } },
            content: { 'application/json': { schema: { type: 'array', items: { type: 'string' } } } },
          },
          '4XX': {
            description: 'A problem.',
            content: { 'application/problem+json': { schema: { required: ['hint'] } } },
          },
        },
      },
    },
  },
};

/** Verifies a gateway that always answers so, and picks the line of one case. */
async function verifyHostile(
  answerTo: (token: string | undefined, path: string) => FixedAnswer,
  name: string,
  contract: object = lenient(),
): Promise<{ code: number; line: string | undefined }> {
  const file = join(folder, 'contract.json');
  await writeFile(file, JSON.stringify(contract));
  const gateway = await startHostileGateway(answerTo);
  try {
    const { code, out } = await runVerify(['--contract', file, '--url', gateway.url], {
      VERIFY_USER_TOKEN: 'secret.user.token',
    });
    return { code, line: out.find((line) => line.includes(`  listThings  ${name}`)) };
  } finally {
    await gateway.close();
  }
}

/** The contract without what it says of refusals. */
function lenient(): object {
  const contract = structuredClone(CONTRACT) as unknown as { paths: { '/things': { get: { responses: object } } } };
  contract.paths['/things'].get.responses = { '200': CONTRACT.paths['/things'].get.responses['200'] };
  return contract;
}

describe('a gateway that misbehaves without a token fails, and the line says what was expected', () => {
  const json = { 'content-type': 'application/json' };

  it.each<[string, (path: string) => FixedAnswer, string]>([
    [
      'letting everyone in',
      () => ({ status: 200, headers: { ...json, 'x-total': '0' }, body: '[]' }),
      'expected 401 missing_token, got 200 application/json',
    ],
    [
      'another code',
      (path) => missingToken(path, { problem: { code: 'internal_error' } }),
      "expected the problem's type to be urn:obo-gateway:problem:internal_error",
    ],
    [
      'another status',
      (path) => missingToken(path, { status: 403 }),
      'expected a known problem, got 403 missing_token',
    ],
    [
      'no challenge',
      (path) => missingToken(path, { headers: { 'www-authenticate': undefined } }),
      'expected exactly one challenge in one WWW-Authenticate header, got none',
    ],
    [
      'two challenges in two headers',
      (path) => missingToken(path, { headers: { 'www-authenticate': [challengeWith(), challengeWith()] } }),
      'got 2 in 2',
    ],
    [
      'two challenges in one header',
      (path) => missingToken(path, { headers: { 'www-authenticate': `${challengeWith()}, Basic realm="x"` } }),
      'got 2 in 1',
    ],
    [
      'a challenge out of order',
      (path) => missingToken(path, { headers: { 'www-authenticate': 'Bearer client_id="c", realm=""' } }),
      'expected a challenge of the form Bearer realm=""',
    ],
    [
      'a comma in a value',
      (path) => missingToken(path, { headers: { 'www-authenticate': challengeWith(', scope="a,b"') } }),
      'expected a challenge of the form',
    ],
    [
      'an error where there is none',
      (path) => missingToken(path, { headers: { 'www-authenticate': challengeWith(', error="invalid_token"') } }),
      'expected the challenge of missing_token to have no error, got error="invalid_token"',
    ],
    [
      'unpadded claims',
      (path) => missingToken(path, { headers: { 'www-authenticate': `${challengeWith()}, claims="eyJhIjoxfQ"` } }),
      'expected claims to be a JSON object in padded base64',
    ],
    [
      'claims that the problem lacks',
      (path) => missingToken(path, { headers: { 'www-authenticate': `${challengeWith()}, claims="eyJhIjoxfQ=="` } }),
      'expected the same claims in the challenge and in the problem',
    ],
    [
      'a wrong content type',
      (path) => missingToken(path, { headers: { 'content-type': 'text/html' } }),
      'expected 401 missing_token, got 401 text/html',
    ],
    [
      'a problem without members',
      (path) => missingToken(path, { problem: { title: undefined, detail: 7 } }),
      'expected the problem to have the text detail',
    ],
    [
      'a foreign instance',
      (path) => missingToken(path, { problem: { instance: '/elsewhere' } }),
      "expected the problem's instance to be /things",
    ],
    [
      'another request id',
      (path) => missingToken(path, { headers: { 'x-request-id': 'r2' } }),
      "expected the problem's requestId in the header x-request-id",
    ],
    [
      'a cacheable refusal',
      (path) => missingToken(path, { headers: { 'cache-control': 'max-age=60' } }),
      'expected Cache-Control: no-store',
    ],
    [
      'words of Entra',
      (path) => missingToken(path, { problem: { detail: 'AADSTS50076: Due to a change' } }),
      'expected nothing internal in the answer, got AADSTS50076',
    ],
    [
      'a stack',
      (path) => missingToken(path, { problem: { detail: 'at travel (file:///app/dist/journey.js:51:9)' } }),
      'expected nothing internal in the answer, got at travel',
    ],
  ])('%s', async (_case, answerTo, sentence) => {
    const { code, line } = await verifyHostile((_token, path) => answerTo(path), 'without a token');
    expect(line).toMatch(/^FAIL {2}listThings {2}without a token {2}\(expected /);
    expect(line).toContain(sentence);
    expect(code).toBe(1);
  });

  it('a problem that the contract declares otherwise', async () => {
    const { line } = await verifyHostile((_token, path) => missingToken(path), 'without a token', CONTRACT);
    expect(line).toContain(
      "FAIL  listThings  without a token  (expected the body to match the contract: must have required property 'hint')",
    );
  });

  it('is told from one that behaves', async () => {
    const { line } = await verifyHostile((_token, path) => missingToken(path), 'without a token');
    expect(line).toBe('pass  listThings  without a token');
  });
});

describe('a gateway that misbehaves when it is called well fails, and the line says what was expected', () => {
  const good = { 'content-type': 'application/json', 'x-total': '1' };

  it.each<[string, FixedAnswer, string]>([
    [
      'a body that does not match',
      { status: 200, headers: good, body: '[1]' },
      'expected the body to match the contract: at /0 must be string',
    ],
    ['a body that is no JSON', { status: 200, headers: good, body: '<html>' }, 'expected a body of JSON'],
    [
      'another content type',
      { status: 200, headers: { ...good, 'content-type': 'text/html' }, body: '[]' },
      'expected the content type application/json, got text/html',
    ],
    [
      'no content type',
      { status: 200, headers: { 'x-total': '1' }, body: '' },
      'expected the content type application/json, got none',
    ],
    [
      'a missing header',
      { status: 200, headers: { 'content-type': 'application/json' }, body: '[]' },
      'expected the header x-total, which the contract requires',
    ],
    [
      'a header that does not match',
      { status: 200, headers: { ...good, 'x-total': 'many' }, body: '[]' },
      'expected the header x-total to match the contract: must be integer',
    ],
    [
      'a status that is not declared',
      { status: 203, headers: good, body: '[]' },
      'expected a declared status (200), got 203',
    ],
    ['a fault', { status: 500, headers: {}, body: '' }, 'expected a success, got 500'],
    [
      'a challenge with a success',
      { status: 200, headers: { ...good, 'www-authenticate': challengeWith() }, body: '[]' },
      'expected no challenge on an answer of the downstream',
    ],
    [
      'the token in the body',
      { status: 200, headers: good, body: '["secret.user.token"]' },
      "expected the caller's token nowhere in the answer",
    ],
  ])('%s', async (_case, answer, sentence) => {
    const { code, line } = await verifyHostile(() => answer, 'well');
    expect(line).toMatch(/^FAIL {2}listThings {2}well {2}\(expected /);
    expect(line).toContain(sentence);
    expect(code).toBe(1);
  });

  it('a call that is never answered', async () => {
    let calls = 0;
    const { line } = await verifyHostile(() => {
      calls += 1;
      return calls === 1 ? missingToken('/') : { status: 0, headers: {}, body: '' };
    }, 'well');
    expect(line).toMatch(/^FAIL {2}listThings {2}well {2}\(expected an answer, got UND_ERR_SOCKET\)$/);
  });

  it('a WebSocket is tried only as far as ordinary requests go', async () => {
    const contract = structuredClone(CONTRACT) as unknown as { paths: { '/things': { get: object } } };
    Object.assign(contract.paths['/things'].get, { 'x-upgrade': 'websocket' });
    const { line } = await verifyHostile(() => ({ status: 426, headers: {}, body: '' }), 'well', contract);
    expect(line).toBe('skip  listThings  well  (it is a WebSocket)');
  });

  it.each([
    ['websocket', 'skip  listThings  well  (it is a WebSocket)'],
    ['HTTP/1.1', 'FAIL  listThings  well  (expected a success, got 426 invalid_request)'],
  ])(
    'a published contract may not say that an operation is a WebSocket: an answer with Upgrade: %s',
    async (upgrade, told) => {
      const detail = 'Open it in another way.';
      const type = 'urn:obo-gateway:problem:invalid_request';
      const problem = { type, status: 426, code: 'invalid_request', title: 'Another protocol is needed', detail };
      const { line } = await verifyHostile((_token, path) => {
        const { headers, body } = missingToken(path, { problem });
        const { 'www-authenticate': _challenge, ...others } = headers;
        return { status: 426, headers: { ...others, upgrade, connection: 'upgrade, close' }, body };
      }, 'well');
      expect(line).toBe(told);
    },
  );

  it('an API that knows nothing of the sample is skipped, not blamed', async () => {
    const contract = structuredClone(CONTRACT) as unknown as { paths: { '/things': { get: { responses: object } } } };
    contract.paths['/things'].get.responses = { '200': { description: 'Them.' }, '404': { description: 'Nothing.' } };
    const { line } = await verifyHostile(() => ({ status: 404, headers: {}, body: '' }), 'well', contract);
    expect(line).toBe(
      'skip  listThings  well  (the API answers 404 to a made-up request; give the contract better examples)',
    );
  });
});

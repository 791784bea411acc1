import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DESKTOP_CLIENT_ID } from '../../dev/emulator/world.ts';
import { gatewayContract, scope } from '../support/gateway-contract.ts';
import { answerChallenge, answerInTurn, answerPlainly, answerWith } from '../support/gateway-downstream.ts';
import type { RawResponse } from '../support/raw-request.ts';
import { describeWithEngines, ENGINES, type EngineName } from './engine.ts';
import { essenceOf, send, startEngineWorld, type Call, type EngineWorld } from './engine-world.ts';

const APP = 'https://app.contoso.com';
const CHALLENGE =
  'Bearer error="insufficient_claims", claims="' +
  `${Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64')}"`;
const PREFLIGHT = [
  'Access-Control-Request-Method: GET',
  'Access-Control-Request-Headers: authorization',
  'X-Request-Id: same',
];

/** The usual contract, and an MCP server with a façade. */
const withMcpServer = {
  ...gatewayContract,
  paths: {
    ...gatewayContract.paths,
    '/mcp': { 'x-mcp-server': { service: 'api', security: [{ user: [scope('Profile.Read')] }] } },
  },
};

/** What decides whether a page may read an answer. */
function readersOf({ status, all }: RawResponse): unknown {
  return [
    status,
    ...['access-control-allow-origin', 'access-control-expose-headers', 'access-control-allow-credentials', 'vary'].map(
      (name) => all(name),
    ),
    all('x-content-type-options'),
  ];
}

describeWithEngines('a page of another origin', () => {
  let world: EngineWorld;
  beforeAll(async () => {
    world = await startEngineWorld({
      server: { cors: { origins: [APP], exposedHeaders: ['x-own'] } },
      contract: [{ document: withMcpServer }],
      identity: { allowedClients: [DESKTOP_CLIENT_ID] },
      mcp: { authorizationServer: 'facade' },
    });
  });
  afterEach(() => {
    world.emulator.resetSwitches();
    world.downstream.reset();
  });
  afterAll(() => world?.close());

  async function compare(engine: EngineName, call: Call, see: (answer: RawResponse) => unknown): Promise<RawResponse> {
    const ofProxy = await send(world.port, call);
    const answer = await send(world.engines[engine].port, call);
    expect(see(answer)).toEqual(see(ofProxy));
    return answer;
  }

  describe.each(ENGINES)('%s', (engine) => {
    it.each([
      [APP, 204],
      ['https://elsewhere.example', 405],
    ])('asks before it calls, and is answered as by the proxy: %s', async (origin, status) => {
      const call = { line: 'OPTIONS /me', headers: [`Origin: ${origin}`, ...PREFLIGHT] };
      const answer = await compare(engine, call, essenceOf);
      expect([answer.status, world.downstream.requests]).toEqual([status, []]);
    });

    it.each([APP, 'https://elsewhere.example'])('reads what it could read of the proxy: %s', async (origin) => {
      const headers = ['access-control-allow-origin', '*', 'access-control-allow-credentials', 'true', 'x-own', 'yes'];
      world.downstream.answer = answerWith(200, headers, 'whole');
      const call = { line: 'GET /me', token: world.token('adele'), headers: [`Origin: ${origin}`] };
      expect((await compare(engine, call, readersOf)).header('x-own')).toBe('yes');
      await compare(engine, { line: 'GET /open', headers: [`Origin: ${origin}`] }, readersOf);
      await compare(engine, { line: 'GET /me', headers: [`Origin: ${origin}`] }, readersOf);
    });

    it('reads the refusal after a 401 of the API, and the answer to a second call', async () => {
      const call = { line: 'GET /me', token: world.token('cody'), headers: [`Origin: ${APP}`] };
      for (const answer of [
        answerInTurn(answerChallenge(CHALLENGE), answerPlainly),
        answerInTurn(answerChallenge(CHALLENGE), answerChallenge('Bearer')),
        answerChallenge('Bearer'),
      ]) {
        world.downstream.answer = answer;
        const { all } = await send(world.engines[engine].port, call);
        expect(all('access-control-allow-origin')).toEqual([APP]);
      }
    });

    it('may call an operation whose path ends as that of a document does', async () => {
      const { status } = await send(world.engines[engine].port, { line: 'GET /files/a/openapi.json' });
      expect([status, world.downstream.last.url]).toEqual([200, '/static/a/openapi.json']);
    });

    it.each([
      '/openapi.json',
      '/openapi.json?a=b',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-authorization-server/mcp',
    ])('gets the documents of the contract: %s', async (path) => {
      const headers = ['Origin: https://elsewhere.example', 'X-Request-Id: same'];
      const { status } = await compare(
        engine,
        { line: `GET ${path}`, headers, token: world.token('adele') },
        ({ status: same, body, all }) => [same, body, all('access-control-allow-origin')],
      );
      expect(status).toBe(200);
    });
  });
});

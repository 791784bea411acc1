import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { gatewayContract, scope } from '../support/gateway-contract.ts';
import { answerChallenge, answerInTurn, answerPlainly, valuesOf } from '../support/gateway-downstream.ts';
import { describeWithEngines, ENGINES } from './engine.ts';
import { essenceOf, send, startEngineWorld, type EngineWorld } from './engine-world.ts';

const CHALLENGE =
  'Bearer error="insufficient_claims", claims="' +
  `${Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64')}"`;

/** The usual contract, and an operation with a parameter in every place. */
const contract = {
  ...gatewayContract,
  paths: {
    ...gatewayContract.paths,
    '/numbers/{number}': {
      get: {
        security: [{ user: [scope('Profile.Read')] }],
        'x-downstream': { service: 'api' },
        parameters: [
          { name: 'number', in: 'path', required: true, schema: { type: 'integer' } },
          { name: 'top', in: 'query', schema: { type: 'integer' } },
          { name: 'X-Kind', in: 'header', schema: { enum: ['a', 'b'] } },
          { name: 'visit', in: 'cookie', required: true, schema: { type: 'integer' } },
        ],
        responses: { default: { description: 'Any.' } },
      },
    },
  },
};

const COOKIE = 'Cookie: other=1; visit=5';

const BAD: readonly (readonly [what: string, target: string, ...headers: string[]])[] = [
  ['in the path', '/numbers/x', COOKIE],
  ['in the query', '/numbers/1?top=x', COOKIE],
  ['twice in the query', '/numbers/1?top=1&top=2', COOKIE],
  ['in a header', '/numbers/1', COOKIE, 'x-kind: c'],
  ['in a cookie', '/numbers/1', 'Cookie: visit=x'],
  ['missing among the cookies', '/numbers/1', 'Cookie: other=1'],
];

describeWithEngines('the parameters of a call behind an engine', () => {
  let world: EngineWorld;
  beforeAll(async () => {
    world = await startEngineWorld({ contract: [{ document: contract }] });
  });
  afterEach(() => world.downstream.reset());
  afterAll(() => world?.close());

  describe.each(ENGINES)('%s', (engine) => {
    it.each(BAD)('a bad one %s is refused as by the proxy', async (_what, target, ...headers) => {
      const call = {
        line: `GET ${target}`,
        token: world.token('adele'),
        headers: [...headers, 'X-Request-Id: same'],
      };
      const ofProxy = await send(world.port, call);
      expect(ofProxy.status).toBe(400);
      expect(essenceOf(await send(world.engines[engine].port, call))).toEqual(essenceOf(ofProxy));
      expect(world.downstream.requests).toEqual([]);
    });

    it('good ones pass, and the API gets no cookie', async () => {
      const call = { line: 'GET /numbers/1?top=2', token: world.token('adele'), headers: [COOKIE, 'X-Kind: b'] };
      const { status } = await send(world.engines[engine].port, call);
      const { rawHeaders, url } = world.downstream.last;
      expect([status, url, valuesOf(rawHeaders, 'cookie')]).toEqual([200, '/numbers/1?top=2', []]);
    });
  });

  it.each(['nginx', 'caddy'] as const)('%s has them checked once more after a 401 of the API', async (engine) => {
    world.downstream.answer = answerInTurn(answerChallenge(CHALLENGE), answerPlainly);
    const call = { line: 'GET /numbers/1', token: world.token('cody'), headers: [COOKIE] };
    const { status } = await send(world.engines[engine].port, call);
    const cookies = world.downstream.requests.map(({ rawHeaders }) => valuesOf(rawHeaders, 'cookie'));
    expect([status, cookies]).toEqual([200, [[], []]]);
  });
});

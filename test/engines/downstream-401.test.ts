import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { answerChallenge, answerInTurn, answerPlainly, answerWith, valuesOf } from '../support/gateway-downstream.ts';
import type { RawResponse } from '../support/raw-request.ts';
import { readDocumentedRows, toRow } from './documented-rows.ts';
import { describeWithEngines, ENGINES, type EngineName } from './engine.ts';
import { send, startEngineWorld, type Call, type EngineWorld } from './engine-world.ts';

const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
const FOREIGN =
  'Bearer realm="", authorization_uri="https://phish.example/authorize", client_id="1", error="insufficient_claims", ' +
  `claims="${Buffer.from(CLAIMS).toString('base64')}"`;
const WITHOUT_CLAIMS = 'Bearer authorization_uri="https://phish.example/authorize", error="invalid_token"';

/** What came of a call: the status, how often the API was asked, and the error of our challenge. */
type Outcome = readonly [status: number, calls: number, error: string | undefined];

const PASSED_ON: Outcome = [401, 1, undefined];
const STEP_UP: Outcome = [401, 1, 'insufficient_claims'];

interface Case {
  readonly what: string;
  readonly api: (world: EngineWorld) => void;
  readonly call: Omit<Call, 'token'>;
  readonly outcome: Readonly<Record<EngineName, Outcome>>;
}

const PEOPLE = ['adele', 'cody', 'guest'];

const GET = { line: 'GET /me' };
const PUT = { line: 'PUT /upload', body: 'x'.repeat(300_000) };

function rejectsOnce({ downstream }: EngineWorld): void {
  downstream.answer = answerInTurn(answerChallenge(FOREIGN), answerPlainly);
}

const CASES: readonly Case[] = [
  {
    what: 'with claims, and another token helps',
    api: rejectsOnce,
    call: GET,
    outcome: { nginx: [200, 2, undefined], caddy: [200, 2, undefined], haproxy: STEP_UP, 'nginx-plain': PASSED_ON },
  },
  {
    what: 'to a call with a body, and another token helps',
    api: rejectsOnce,
    call: PUT,
    outcome: { nginx: [200, 2, undefined], caddy: STEP_UP, haproxy: STEP_UP, 'nginx-plain': PASSED_ON },
  },
  {
    what: 'with claims, twice',
    api: ({ downstream }) => {
      downstream.answer = answerChallenge(FOREIGN);
    },
    call: GET,
    outcome: {
      nginx: [401, 2, 'insufficient_claims'],
      caddy: [401, 2, 'insufficient_claims'],
      haproxy: STEP_UP,
      'nginx-plain': PASSED_ON,
    },
  },
  {
    what: 'without claims',
    api: ({ downstream }) => {
      downstream.answer = answerChallenge(WITHOUT_CLAIMS);
    },
    call: GET,
    outcome: {
      nginx: [502, 1, undefined],
      caddy: [502, 1, undefined],
      haproxy: [502, 1, undefined],
      'nginx-plain': PASSED_ON,
    },
  },
  {
    what: 'with claims that nobody can read',
    api: ({ downstream }) => {
      downstream.answer = answerChallenge('Bearer error="insufficient_claims", claims="e30="');
    },
    call: PUT,
    outcome: {
      nginx: [401, 1, 'invalid_token'],
      caddy: [401, 1, 'invalid_token'],
      haproxy: [401, 1, 'invalid_token'],
      'nginx-plain': PASSED_ON,
    },
  },
  {
    what: 'without any challenge',
    api: ({ downstream }) => {
      downstream.answer = answerWith(401);
    },
    call: GET,
    outcome: {
      nginx: [502, 1, undefined],
      caddy: [502, 1, undefined],
      haproxy: [502, 1, undefined],
      'nginx-plain': PASSED_ON,
    },
  },
  {
    what: 'with claims, and with the new token something else',
    api: ({ downstream }) => {
      downstream.answer = answerInTurn(answerChallenge(FOREIGN), answerWith(503, ['x-own', 'yes'], 'its own words'));
    },
    call: GET,
    outcome: { nginx: [503, 2, undefined], caddy: [503, 2, undefined], haproxy: STEP_UP, 'nginx-plain': PASSED_ON },
  },
];

function errorIn(answer: RawResponse): string | undefined {
  return /error="([^"]*)"/.exec(answer.header('www-authenticate') ?? '')?.[1];
}

it.each(CASES)('docs/engines.md says what each engine answers: $what', ({ what, outcome }) => {
  const cells = ENGINES.map((engine) => {
    const [status, , error] = outcome[engine];
    return error === undefined ? status : `${status} \`${error}\``;
  });
  expect(readDocumentedRows()).toContain(toRow([what, ...cells]));
});

describeWithEngines('what becomes of a 401 of the API', () => {
  let world: EngineWorld;
  beforeAll(async () => {
    world = await startEngineWorld();
  });
  afterEach(() => {
    world.emulator.resetSwitches();
    world.downstream.reset();
  });
  afterAll(() => world?.close());

  // Each person meets the same challenge less than three times, which would end a loop.
  it.each(CASES.flatMap((row, index) => ENGINES.map((engine) => ({ ...row, engine, user: PEOPLE[index % 3] }))))(
    '$what: $engine',
    async ({ api, call, outcome, engine, user = '' }) => {
      api(world);
      const answer = await send(world.engines[engine].port, { ...call, token: world.token(user) });
      const { requests } = world.downstream;
      expect([answer.status, requests.length, errorIn(answer)]).toEqual(outcome[engine]);
      expect(JSON.stringify(answer)).not.toContain('phish');
      expect(new Set(requests.map(({ body }) => body.length))).toEqual(new Set([call.body?.length ?? 0]));
      expect(new Set(requests.flatMap(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'))).size).toBe(
        requests.length,
      );
    },
  );

  it.each(['nginx', 'caddy'] as const)('%s: Entra wants the user, who then gets its claims', async (engine) => {
    const token = world.token('adele');
    await send(world.engines[engine].port, { ...GET, token });
    const own = '{"access_token":{"capolids":{"essential":true,"values":["b"]}}}';
    world.emulator.switches.refuse = { error: 'interaction_required', error_codes: [50076], claims: own };
    world.downstream.answer = answerChallenge(FOREIGN);
    const answer = await send(world.engines[engine].port, { ...GET, token });
    expect([answer.status, answer.all('www-authenticate')]).toEqual([
      401,
      [expect.stringContaining(`claims="${Buffer.from(own).toString('base64')}"`)],
    ]);
  });

  it('nginx makes a call with a small and with a large body once more, as it was', async () => {
    for (const size of [1, 65_535, 300_000]) {
      world.downstream.reset();
      rejectsOnce(world);
      const body = Buffer.alloc(size, 'abc');
      const token = world.token('adele');
      await send(world.engines.nginx.port, { line: 'PUT /upload', token, body });
      expect(world.downstream.requests.map((request) => request.body.equals(body))).toEqual([true, true]);
    }
  });

  it.each(['nginx', 'caddy'] as const)('%s hands back a challenge of 5 kB', async (engine) => {
    const claims = `{"access_token":{"xms_caeerror":{"value":"${'1'.repeat(3_700)}"}}}`;
    const challenge = `Bearer error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;
    world.downstream.answer = answerInTurn(answerChallenge(challenge), answerPlainly);
    const token = world.token('adele', { claims: { padding: 'p'.repeat(2_000) } });
    const { status } = await send(world.engines[engine].port, { ...GET, token });
    expect([status, world.downstream.requests.length]).toEqual([200, 2]);
  });

  it.each(ENGINES)('%s: a challenge beside another answer goes no further', async (engine) => {
    world.downstream.answer = answerWith(403, ['www-authenticate', FOREIGN], 'no');
    const answer = await send(world.engines[engine].port, { ...GET, token: world.token('adele') });
    expect([answer.status, answer.body, answer.all('www-authenticate')]).toEqual([403, 'no', []]);
  });
});

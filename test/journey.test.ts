import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import type { Operation } from '../src/contract/operations/operation.ts';
import { GatewayError } from '../src/failures.ts';
import type { DownstreamAnswer } from '../src/forward/downstream-answer.ts';
import type { InboundRequest } from '../src/inbound-request.ts';
import { authorizeCall, handleRequest, type Steps } from '../src/journey.ts';
import { NO_BODY } from '../src/request/body.ts';
import { toPrincipal } from '../src/session/principal.ts';
import type { Session } from '../src/session/session.ts';
import { RequestRecord } from '../src/telemetry/request-record.ts';
import type { DownstreamToken, FetchedToken } from '../src/session/downstream-token.ts';

const REQUEST: InboundRequest = {
  req: {} as IncomingMessage,
  res: {} as ServerResponse,
  target: { path: '/orders', query: '' },
  instance: '/orders',
  mountPath: '',
  requestId: 'r',
  record: new RequestRecord('r'),
};

const CALLER = { principal: toPrincipal({ tid: 'T', oid: 'adele', azp: 'app', scp: 'Read', iat: 1 }) } as Session;
const TOKEN = { authorization: 'Bearer first' } as DownstreamToken;
const CLAIMS = '{"access_token":{}}';

/** Steps that let everything pass and say in which order they were called. */
function newSteps(changes: Partial<Steps> = {}): { steps: Steps; called: string[] } {
  const called: string[] = [];
  const steps: Steps = {
    match: () => ({ entry: { name: 'listOrders' } as Operation, values: {}, encoded: {} }),
    checkOrigin: () => undefined,
    authenticate: () => CALLER,
    authorize: (session) => session,
    validate: () => NO_BODY,
    validateParameters: () => undefined,
    exchange: () => TOKEN,
    forward: () => Promise.resolve({ status: 200 } as DownstreamAnswer),
    readChallenges: () => [],
    recallToken: () => undefined,
    readDemand: () => ({ kind: 'none' }),
    asksAgentForProof: () => false,
    rememberChallenge: () => undefined,
    expectClaims: () => undefined,
    answer: () => undefined,
    adaptFailure: (error) => error,
    noteSuccess: () => undefined,
    ...changes,
  };
  for (const [name, step] of Object.entries(steps)) {
    Object.assign(steps, {
      [name]: (...values: unknown[]) => {
        called.push(name);
        return (step as (...given: unknown[]) => unknown)(...values);
      },
    });
  }
  return { steps, called };
}

const TO_THE_TOKEN = ['match', 'checkOrigin', 'authenticate', 'authorize', 'validate', 'exchange'];

describe('what happens to a call of the contract?', () => {
  it('goes through every step in one order', async () => {
    const { steps, called } = newSteps();
    await handleRequest(REQUEST, steps);
    expect(called).toEqual([...TO_THE_TOKEN, 'forward', 'noteSuccess', 'answer']);
  });

  it.each(['checkOrigin', 'authenticate', 'authorize', 'validate', 'exchange', 'forward', 'answer'] as const)(
    'is looked at once more when it fails in %s, and ends there',
    async (name) => {
      const failure = new GatewayError('access_denied');
      const { steps, called } = newSteps({
        [name]: () => {
          throw failure;
        },
      });
      await expect(handleRequest(REQUEST, steps)).rejects.toBe(failure);
      expect(called.slice(-2)).toEqual([name, 'adaptFailure']);
      expect(called.filter((step) => step === 'adaptFailure')).toHaveLength(1);
    },
  );

  it('becomes a call of the tool that its body names, which the caller must be allowed, too', async () => {
    const tool = { name: 'listOrders', access: [] } as unknown as Operation;
    const authorized: unknown[] = [];
    const exchanged: unknown[] = [];
    const { steps, called } = newSteps({
      validate: () => ({ ...NO_BODY, tool }),
      authorize(session, operation) {
        authorized.push(operation);
        return session;
      },
      exchange(_request, _session, operation) {
        exchanged.push(operation);
        return TOKEN;
      },
    });
    await handleRequest(REQUEST, steps);
    expect(called.slice(2, 6)).toEqual(['authenticate', 'authorize', 'validate', 'authorize']);
    expect([authorized[1], exchanged[0]]).toEqual([tool, tool]);
  });

  it('is refused as its caller’s where the tool asks more of somebody who is nobody for the server', async () => {
    const tool = { name: 'listOrders', access: [] } as unknown as Operation;
    const adapted: unknown[] = [];
    const { steps } = newSteps({
      validate: () => ({ ...NO_BODY, tool }),
      authorize(_session, operation) {
        if (operation === tool) {
          throw new GatewayError('insufficient_claims', { claims: CLAIMS });
        }
        return undefined;
      },
      adaptFailure(error, session) {
        adapted.push(session);
        return error;
      },
    });
    await expect(handleRequest(REQUEST, steps)).rejects.toMatchObject({ code: 'insufficient_claims' });
    expect(adapted).toEqual([CALLER]);
  });

  it('is exchanged once more under the id of its first exchange', async () => {
    const asked: unknown[] = [];
    const { steps } = newSteps({
      exchange: (_request, _session, _operation, again) => {
        asked.push(again);
        return Promise.resolve<FetchedToken>({ token: TOKEN, from: 'entra', correlationId: 'first' });
      },
      forward: () => {
        const status = asked.length === 1 ? 401 : 200;
        return Promise.resolve({ status, discard: () => undefined } as DownstreamAnswer);
      },
      readDemand: () => ({ kind: 'claims', claims: CLAIMS }),
    });
    await handleRequest(REQUEST, steps);
    expect(asked).toEqual([undefined, { claims: CLAIMS, correlationId: 'first' }]);
  });
});

describe('what does a door get that only asks about a call?', () => {
  it('the token of the caller, after the same steps but the body', async () => {
    const { steps, called } = newSteps();
    const call = await authorizeCall(REQUEST, steps, steps.validateParameters);
    expect(call).toMatchObject({ session: CALLER, token: TOKEN, checked: undefined });
    expect(called).toEqual(['match', 'checkOrigin', 'authenticate', 'authorize', 'validateParameters', 'exchange']);
  });

  it('no token where nobody is asked who calls', async () => {
    const { steps } = newSteps({ authenticate: () => undefined, exchange: () => undefined });
    const call = await authorizeCall(REQUEST, steps, steps.validateParameters);
    expect([call.session, call.token]).toEqual([undefined, undefined]);
  });

  it('no token for a caller who counts as nobody, though it has sent one', async () => {
    const asked: unknown[] = [];
    const { steps } = newSteps({
      authorize: () => undefined,
      exchange(_request, session) {
        asked.push(session);
        return undefined;
      },
    });
    const call = await authorizeCall(REQUEST, steps, steps.validateParameters);
    expect([asked, call.session, call.token]).toEqual([[undefined], undefined, undefined]);
  });

  it('the failure that the call itself would meet', async () => {
    const failure = new GatewayError('insufficient_scope');
    const { steps } = newSteps({
      authorize() {
        throw failure;
      },
      adaptFailure: (error) => ({ checked: error }),
    });
    await expect(authorizeCall(REQUEST, steps, steps.validateParameters)).rejects.toEqual({ checked: failure });
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Case, Expectation } from '../../src/verify/case.ts';
import { judge, judgeForm } from '../../src/verify/judge.ts';
import { loadOperations, type TriedOperation } from '../../src/verify/load-operations.ts';
import type { Outcome } from '../../src/verify/outcome.ts';
import { planCases } from '../../src/verify/plan.ts';
import { toTrial } from '../../src/verify/run-cases.ts';
import { GatewayClient } from '../../src/verify/send.ts';
import { runTrials } from '../../src/verify/trial.ts';
import { findUnreached, type Reached } from './coverage.ts';
import { startDemo, startForeign, type WalkWorld } from './worlds.ts';

describe.each([
  ['the contract of this repository', startDemo],
  ['a foreign contract', startForeign],
])('%s, walked', (_name, start) => {
  let world: WalkWorld;
  let client: GatewayClient;
  let operations: readonly TriedOperation[];
  let cases: readonly Case[];
  const reached: Reached[] = [];

  beforeAll(async () => {
    world = await start();
    client = new GatewayClient(world.url);
    ({ operations } = await loadOperations(world.contract));
    cases = planCases(operations);
  });
  afterAll(async () => {
    await client.close();
    await world.close();
  });

  async function walk(planned: readonly Case[]): Promise<Outcome[]> {
    const options = { client, tokens: world.mintTokens(), write: true, onAnswer: () => undefined };
    const outcomes = await runTrials(planned.map((one) => toTrial(one, options)));
    reached.push(...outcomes.map(({ subject, status }) => ({ operation: subject, status })));
    return outcomes;
  }

  it('is kept by every operation, whoever calls and whatever is broken', async () => {
    const outcomes = await walk(cases);
    expect(outcomes.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  });

  it('is called well once by everyone who may', () => {
    const well = cases.filter(({ name }) => name === 'well').map(({ operation }) => operation.name);
    expect(well.toSorted(compare)).toEqual(operations.map(({ name }) => name).toSorted(compare));
  });

  it('is kept when the API behind has nothing of that name', async () => {
    for (const { operation, parts } of withDeclared(cases, '404')) {
      const unknown = { ...parts, path: Object.fromEntries(Object.keys(parts.path).map((key) => [key, randomUUID()])) };
      const { steppedUp } = world.mintTokens();
      const answer = await client.send(operation, unknown, steppedUp);
      reached.push({ operation: operation.name, status: answer.status });
      expect(answer.status).toBe(404);
      expect(judgeForm(answer, { operation, parts: unknown }, steppedUp)).toEqual([]);
    }
  });

  it('is kept when an anonymous call has two Authorization headers', async () => {
    for (const planned of cases.filter(
      ({ name, operation: { access } }) => name === 'well' && access === 'anonymous',
    )) {
      const { user } = world.mintTokens();
      const doubled = {
        ...planned,
        parts: { ...planned.parts, headers: { Authorization: 'Bearer another' } },
        expectation: { kind: 'refusal', failure: 'malformed_authorization' } as const,
      };
      const answer = await client.send(doubled.operation, doubled.parts, user);
      reached.push({ operation: doubled.operation.name, status: answer.status });
      expect(judge(answer, doubled, user)).toEqual([]);
    }
  });

  it('is kept when Entra and the APIs behind are down', async () => {
    world.breakDown(true);
    const broken = cases
      .filter(({ name }) => name === 'well')
      .map((planned) => ({ ...planned, expectation: downFor(planned.operation) }));
    const outcomes = await walk(broken);
    world.breakDown(false);
    expect(outcomes.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  });

  it('has no operation and no declared answer that nothing above has reached', () => {
    expect(findUnreached(operations, reached)).toEqual([]);
    expect(new Set(reached.map(({ operation }) => operation)).size).toBe(operations.length);
  });

  it('would be told of an answer that nothing reaches', () => {
    const [first] = operations;
    const others = reached.filter(({ operation, status = 0 }) => operation !== first?.name || status >= 300);
    expect(findUnreached(operations, others)).toEqual([`${first?.name} 200`]);
  });
});

/** Users need a new exchange; the gateway's own token for apps is there from before, and nobody else needs one. */
function downFor({ access }: TriedOperation): Expectation {
  const isForUsers = access !== 'anonymous' && access.some(({ caller }) => caller === 'user');
  return { kind: 'refusal', failure: isForUsers ? 'identity_unavailable' : 'downstream_unreachable' };
}

function withDeclared(cases: readonly Case[], status: string): Case[] {
  return cases.filter(
    ({ name, operation }) => name === 'well' && operation.responses.some((rule) => rule.status === status),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

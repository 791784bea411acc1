import { describe, expect, it } from '@jest/globals';
import type { Hop } from '../../dev/playground/hop.ts';
import { Journey, type Call, type HopTree } from '../../dev/playground/page/journey.ts';

const CALL = { correlationId: 'call', through: 'engine', method: 'GET', path: '/me', about: '' } as const;

/** Hops as they become known: each a millisecond after the one before it, unless it says otherwise. */
function learn(journey: Journey, hops: readonly Partial<Hop>[]): void {
  hops.forEach((differences, index) => {
    journey.learn({
      number: index + 1,
      from: 'engine',
      to: 'gateway',
      toldBy: differences.to ?? 'gateway',
      startedAt: index,
      ms: 1,
      method: 'GET',
      path: 'getProfile',
      status: 200,
      correlationId: 'call',
      exchangesAs: undefined,
      about: '',
      refusal: undefined,
      challenge: undefined,
      ...differences,
    });
  });
}

/** A question as the engine tells it. */
function question(path: string, status: number, startedAt?: number): Partial<Hop> {
  return { path, status, toldBy: 'engine', ...(startedAt !== undefined && { startedAt }) };
}

function exchange(id: string, status: number): Partial<Hop> {
  return { from: 'gateway', to: 'entra', correlationId: id, path: '/token', status };
}

function write({ hop, within, outcome }: HopTree): string {
  const { from, to, status, refusal } = hop;
  const notes = [refusal, outcome].filter(Boolean).map((note) => ` (${note})`);
  const inside = within.length === 0 ? '' : ` [${within.map(write).join(', ')}]`;
  return `${from} → ${to}${inside} ${status}${notes.join('')}`;
}

interface Story {
  readonly what: string;
  readonly hops: readonly Partial<Hop>[];
  readonly drawn: readonly string[];
}

const STORIES: readonly Story[] = [
  {
    what: 'a call that passes with a new token',
    hops: [
      exchange('first', 200),
      { exchangesAs: 'first', about: 'with a new downstream token from Entra' },
      question('/check/nginx', 200, 0),
      { to: 'graph', path: '/v1.0/me' },
    ],
    drawn: [
      'engine → gateway [gateway → entra 200] 200 (with a new downstream token from Entra)',
      'engine → graph 200',
    ],
  },
  {
    what: 'a stream that is still open, of which only the question is known',
    hops: [question('/check/nginx', 200), { about: 'with the downstream token that the gateway holds' }],
    drawn: ['engine → gateway 200 (with the downstream token that the gateway holds)'],
  },
  {
    what: 'a refusal, which the log has once',
    hops: [
      exchange('first', 503),
      { exchangesAs: 'first', status: 503, refusal: 'identity_unavailable' },
      question('/check/nginx', 401),
      question('/refusal/nginx', 503),
    ],
    drawn: [
      'engine → gateway [gateway → entra 503] 401 (without a reason)',
      'engine → gateway 503 (identity_unavailable)',
    ],
  },
  {
    what: 'a second exchange after the API’s 401',
    hops: [
      { about: 'with the downstream token that the gateway holds' },
      question('/check/nginx', 200),
      { to: 'graph', status: 401 },
      exchange('second', 200),
      { exchangesAs: 'second', about: 'with a new downstream token from Entra' },
      question('/check/nginx', 200),
      { to: 'graph', status: 200 },
    ],
    drawn: [
      'engine → gateway 200 (with the downstream token that the gateway holds)',
      'engine → graph 401',
      'engine → gateway [gateway → entra 200] 200 (with a new downstream token from Entra)',
      'engine → graph 200',
    ],
  },
  {
    what: 'a second 401 of the API, whose refusal the log has',
    hops: [
      {},
      question('/check/nginx', 200),
      { to: 'graph', status: 401 },
      exchange('second', 200),
      { exchangesAs: 'second' },
      question('/check/nginx', 200),
      { to: 'graph', status: 401 },
      { status: 401, refusal: 'insufficient_claims' },
      question('/refusal/nginx', 401),
    ],
    drawn: [
      'engine → gateway 200',
      'engine → graph 401',
      'engine → gateway [gateway → entra 200] 200',
      'engine → graph 401',
      'engine → gateway 401 (insufficient_claims)',
    ],
  },
  {
    what: 'questions of the same millisecond, in the order in which they were asked',
    hops: [
      { status: 401, refusal: 'missing_token', startedAt: 0 },
      question('/check/nginx', 401, 0),
      question('/refusal/nginx', 401, 0),
    ],
    drawn: ['engine → gateway 401 (without a reason)', 'engine → gateway 401 (missing_token)'],
  },
  { what: 'a gateway that is not there', hops: [question('/check/nginx', 0)], drawn: ['engine → gateway 0'] },
];

describe('a call through an engine is drawn', () => {
  it.each(STORIES)('$what', ({ hops, drawn }) => {
    const journey = new Journey(() => {});
    journey.addCall(CALL);
    learn(journey, [...hops, { from: 'client', to: 'engine', toldBy: 'engine' }]);
    const [call] = journey.entries;
    expect(journey.treesWithin(call as Call).map(write)).toEqual(drawn);
    expect(journey.hopOfCall(call as Call)?.to).toBe('engine');
  });

  it('with a lane for the engine, which other journeys do not have', () => {
    const journey = new Journey(() => {});
    journey.addCall({ ...CALL, through: 'gateway' });
    expect(journey.parties).toEqual(['client', 'gateway', 'entra', 'graph', 'orders']);
    journey.addCall(CALL);
    expect(journey.parties).toEqual(['client', 'engine', 'gateway', 'entra', 'graph', 'orders']);
  });
});

describe('a call of the MCP server is drawn', () => {
  const MAILBOX = { ...CALL, through: 'gateway', method: 'POST', path: '/mailbox/mcp' } as const;

  it('with what the server itself asked, for each time that the gateway sent it', () => {
    const journey = new Journey(() => {});
    journey.addCall(MAILBOX);
    learn(journey, [
      { from: 'mailbox', to: 'entra', status: 400, startedAt: 1 },
      { from: 'gateway', to: 'mailbox', status: 401, startedAt: 0, ms: 2 },
      exchange('second', 200),
      { from: 'mailbox', to: 'entra', startedAt: 11 },
      { from: 'mailbox', to: 'graph', startedAt: 12 },
      { from: 'gateway', to: 'mailbox', startedAt: 10, ms: 5 },
      { from: 'client', to: 'gateway', exchangesAs: 'second' },
    ]);
    const [call] = journey.entries;
    expect(journey.treesWithin(call as Call).map(write)).toEqual([
      'gateway → mailbox [mailbox → entra 400] 401',
      'gateway → entra 200',
      'gateway → mailbox [mailbox → entra 200, mailbox → graph 200] 200',
    ]);
  });

  it('with a lane for it', () => {
    const journey = new Journey(() => {});
    journey.addCall(MAILBOX);
    expect(journey.parties).toEqual(['client', 'gateway', 'mailbox', 'entra', 'graph', 'orders']);
  });
});

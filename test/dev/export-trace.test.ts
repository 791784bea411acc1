import { describe, expect, it } from '@jest/globals';
import type { Hop } from '../../dev/playground/hop.ts';
import { exportTrace } from '../../dev/playground/page/export-trace.ts';
import { Journey } from '../../dev/playground/page/journey.ts';

function hop(differences: Partial<Hop>): Hop {
  return {
    number: 1,
    from: 'client',
    to: 'gateway',
    toldBy: 'gateway',
    startedAt: 1_000,
    ms: 10.5,
    method: 'GET',
    path: 'getProfile',
    status: 200,
    correlationId: 'call',
    exchangesAs: 'exchange',
    about: '',
    refusal: undefined,
    challenge: undefined,
    ...differences,
  };
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly Record<string, unknown>[] }[];
  }[];
}

function spansOf(journey: Journey): readonly Record<string, unknown>[] {
  const { resourceSpans } = exportTrace(journey) as Exported;
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

describe('a journey as a trace', () => {
  it('is nothing while nothing happened', () => {
    const journey = new Journey(() => {});
    journey.addHeading('The client sends');
    expect(exportTrace(journey)).toBeUndefined();
  });

  it('has the times of the hops, the refusals, and no query', () => {
    const journey = new Journey(() => {});
    journey.addCall({ correlationId: 'call', through: 'gateway', method: 'GET', path: '/me?secret=1', about: '' });
    journey.learn(hop({ status: 503, refusal: 'identity_unavailable' }));
    journey.learn(
      hop({
        from: 'gateway',
        to: 'entra',
        toldBy: 'entra',
        correlationId: 'exchange',
        startedAt: 1_002,
        ms: 3,
        status: 0,
        path: '/token',
      }),
    );
    const [root, call, exchange] = spansOf(journey);
    expect(root).toMatchObject({ name: 'journey', startTimeUnixNano: '1000000000', endTimeUnixNano: '1010500000' });
    expect(call).toMatchObject({ name: 'GET /me', parentSpanId: root?.['spanId'], status: { code: 2 } });
    expect(call?.['attributes']).toContainEqual({ key: 'error.type', value: { stringValue: 'identity_unavailable' } });
    expect(exchange).toMatchObject({
      parentSpanId: call?.['spanId'],
      startTimeUnixNano: '1002000000',
      endTimeUnixNano: '1005000000',
      status: { code: 2 },
    });
    expect(JSON.stringify(exportTrace(journey))).not.toContain('secret');
  });
});

import { describe, expect, it } from '@jest/globals';
import { TraceIds } from '../../../src/telemetry/otlp/trace-ids.ts';

describe('the ids of a trace', () => {
  const ids = new TraceIds();
  const traceIds = Array.from({ length: 1_000 }, () => ids.generateTraceId());
  const spanIds = Array.from({ length: 1_000 }, () => ids.generateSpanId());

  it('have 32 and 16 hexadecimal digits', () => {
    expect(traceIds.filter((id) => !/^[\da-f]{32}$/.test(id))).toEqual([]);
    expect(spanIds.filter((id) => !/^[\da-f]{16}$/.test(id))).toEqual([]);
  });

  it('are others each time', () => {
    expect([new Set(traceIds).size, new Set(spanIds).size]).toEqual([1_000, 1_000]);
  });

  it('are known before they are given away, whatever else is in between', () => {
    const known = ids.nextTraceId;
    ids.generateSpanId();
    expect([ids.nextTraceId, ids.generateTraceId(), ids.nextTraceId === known]).toEqual([known, known, false]);
  });

  it('are those of a traceparent without the flag', () => {
    const known = ids.nextTraceId;
    expect(ids.takeTraceparent()).toMatch(new RegExp(`^00-${known}-[\\da-f]{16}-00$`));
  });
});

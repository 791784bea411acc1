import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  SamplingDecision,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { RequestTrace } from '../../../src/telemetry/otlp/request-trace.ts';
import { TraceIds } from '../../../src/telemetry/otlp/trace-ids.ts';
import { Tracing } from '../../../src/telemetry/otlp/tracing.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';

function open(sampler: Sampler): { readonly tracing: Tracing; readonly exporter: InMemorySpanExporter } {
  const ids = new TraceIds();
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  const provider = new TracerProvider({ sampler, idGenerator: ids, spanProcessors });
  return { tracing: new Tracing({ tracer: provider.getTracer('tests'), sampler, ids }), exporter };
}

function endSpan(request: RequestTrace): void {
  if (request.isSampled) {
    request.span.end();
  }
}

/** The context that a downstream gets. */
function sentOn(request: RequestTrace, tracing: Tracing): readonly string[] {
  return request.isSampled ? tracing.contextOf(request.span) : request.headers;
}

function isSampledById(sampler: Sampler, traceId: string): boolean {
  const { decision } = sampler.shouldSample(ROOT_CONTEXT, traceId, 'any', SpanKind.INTERNAL, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

function writeTraceparent(flags: string): string {
  return `00-${TRACE_ID}-${PARENT_ID}-${flags}`;
}

describe('a share of requests without a context of their caller', () => {
  const sampler = new TraceIdRatioBasedSampler(0.25);
  const { tracing, exporter } = open(sampler);
  const requests = Array.from({ length: 4_000 }, () => tracing.begin({}, performance.now()));
  requests.forEach(endSpan);
  const sampled = requests.filter(({ isSampled }) => isSampled);

  it('is sampled', () => {
    // Six standard deviations to each side.
    expect(Math.abs(sampled.length - 1_000)).toBeLessThan(165);
  });

  it('is what the sampler says of their ids, so that another that asks by the id comes to the same', () => {
    const byId = requests.filter(({ traceId }) => isSampledById(sampler, traceId));
    expect(sampled.map(({ traceId }) => traceId)).toEqual(byId.map(({ traceId }) => traceId));
  });

  it('has spans, each with the ids of its request, and the others have none', () => {
    const spans = exporter.getFinishedSpans().map((span) => span.spanContext());
    expect(spans.map(({ traceId, spanId }) => [traceId, spanId])).toEqual(
      sampled.map(({ traceId, spanId }) => [traceId, spanId]),
    );
  });

  it('goes on with the flag, and the others without it', () => {
    const wrong = requests.filter((request) => {
      const { traceId, spanId, isSampled } = request;
      return sentOn(request, tracing)[1] !== `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
    });
    expect(wrong).toEqual([]);
  });

  it('has ids that no other request has', () => {
    expect([
      new Set(requests.map(({ traceId }) => traceId)).size,
      new Set(requests.map(({ spanId }) => spanId)).size,
    ]).toEqual([4_000, 4_000]);
  });
});

describe('the context of a caller', () => {
  const never = new ParentBasedSampler({ root: new AlwaysOffSampler() });
  const always = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1) });

  it.each([
    ['that is sampled decides where its parents do', never, '01', true],
    ['that is not sampled decides where its parents do', always, '00', false],
    ['with flags of later versions counts by the one of today', always, 'fe', false],
    ['counts for nothing where the share alone decides', new TraceIdRatioBasedSampler(1), '00', true],
    ['does not bring a trace where nothing is sampled', new AlwaysOffSampler(), '01', false],
  ])('%s', (_, sampler, flags, isSampled) => {
    const { tracing, exporter } = open(sampler);
    const request = tracing.begin({ traceparent: writeTraceparent(flags), tracestate: 'vendor=1' }, performance.now());
    endSpan(request);
    expect([request.isSampled, request.traceId, request.spanId === PARENT_ID]).toEqual([isSampled, TRACE_ID, false]);
    expect(sentOn(request, tracing)).toEqual([
      'traceparent',
      `00-${TRACE_ID}-${request.spanId}-${isSampled ? '01' : '00'}`,
      'tracestate',
      'vendor=1',
    ]);
    expect(exporter.getFinishedSpans().map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
      isSampled ? [PARENT_ID] : [],
    );
  });

  it('leaves the next id to the next request without one', () => {
    const ids = new TraceIds();
    const tracer = new TracerProvider({ sampler: always, idGenerator: ids }).getTracer('tests');
    const tracing = new Tracing({ tracer, sampler: always, ids });
    const next = ids.nextTraceId;
    tracing.begin({ traceparent: writeTraceparent('00') }, performance.now());
    tracing.begin({ traceparent: writeTraceparent('01') }, performance.now());
    expect(tracing.begin({}, performance.now()).traceId).toBe(next);
  });
});

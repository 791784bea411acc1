import type { Hop, Party } from '../hop.ts';
import type { HopTree, Journey } from './journey.ts';

/** A span of OTLP as JSON, with the members that a hop has something for. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

/** The kinds and the status of OTLP that are used here. */
const INTERNAL = 1;
const SERVER = 2;
const ERROR = 2;

/** A span and whose it is. */
interface PartySpan {
  readonly party: Party;
  readonly span: Span;
}

/**
 * Writes a journey as one trace: each hop is a span of whoever answered it, below the hop that it was made for.
 *
 * @returns a request of OTLP as JSON, which tools for traces open as a file; `undefined` while there is no hop
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function exportTrace(journey: Journey): object | undefined {
  const trees = journey.entries.flatMap((entry) => treesOf(journey, entry));
  const hops = trees.flatMap(hopsIn);
  if (hops.length === 0) {
    return undefined;
  }
  const traceId = newId(16);
  const root = journeySpan(traceId, hops);
  const spans = [root, ...trees.flatMap((tree) => treeSpans(traceId, root.span.spanId, tree))];
  const parties = [...new Set(spans.map(({ party }) => party))];
  return {
    resourceSpans: parties.map((party) => ({
      resource: { attributes: [text('service.name', party)] },
      scopeSpans: [
        {
          scope: { name: 'obo-gateway playground' },
          spans: spans.filter((one) => one.party === party).map(({ span }) => span),
        },
      ],
    })),
  };
}

function treesOf(journey: Journey, entry: Journey['entries'][number]): readonly HopTree[] {
  switch (entry.kind) {
    case 'heading':
      return [];
    case 'visit':
      return journey.hopsOfVisit(entry).map((hop) => ({ hop, within: [], outcome: '' }));
    case 'proxied':
      return [journey.treeOfProxiedRequest(entry) ?? []].flat();
    case 'call': {
      const hop = journey.hopOfCall(entry);
      const { path } = entry;
      return hop === undefined ? [] : [{ hop: { ...hop, path }, within: journey.treesWithin(entry), outcome: '' }];
    }
  }
}

function hopsIn({ hop, within }: HopTree): readonly Hop[] {
  return [hop, ...within.flatMap(hopsIn)];
}

function treeSpans(traceId: string, parentSpanId: string, { hop, within }: HopTree): readonly PartySpan[] {
  const outer = hopSpan(traceId, parentSpanId, hop);
  return [outer, ...within.flatMap((tree) => treeSpans(traceId, outer.span.spanId, tree))];
}

function journeySpan(traceId: string, hops: readonly Hop[]): PartySpan {
  const span = {
    traceId,
    spanId: newId(8),
    parentSpanId: '',
    name: 'journey',
    kind: INTERNAL,
    startTimeUnixNano: toNanoseconds(Math.min(...hops.map(({ startedAt }) => startedAt))),
    endTimeUnixNano: toNanoseconds(Math.max(...hops.map(({ startedAt, ms }) => startedAt + ms))),
    attributes: [],
    status: {},
  };
  return { party: 'client', span };
}

function hopSpan(traceId: string, parentSpanId: string, hop: Hop): PartySpan {
  const { to, method, path, status, startedAt, ms, refusal, correlationId, about } = hop;
  const [plainPath = ''] = path.split('?');
  const span = {
    traceId,
    spanId: newId(8),
    parentSpanId,
    name: `${method} ${plainPath}`,
    kind: SERVER,
    startTimeUnixNano: toNanoseconds(startedAt),
    endTimeUnixNano: toNanoseconds(startedAt + ms),
    attributes: [
      text('http.request.method', method),
      text('url.path', plainPath),
      ...(status === 0 ? [] : [{ key: 'http.response.status_code', value: { intValue: String(status) } }]),
      ...(refusal === undefined ? [] : [text('error.type', refusal)]),
      ...(correlationId === undefined ? [] : [text('playground.correlation_id', correlationId)]),
      ...(about === '' ? [] : [text('playground.about', about)]),
    ],
    status: status === 0 || status >= 500 ? { code: ERROR } : {},
  };
  return { party: to, span };
}

function text(key: string, value: string): Attribute {
  return { key, value: { stringValue: value } };
}

/** Nanoseconds as OTLP writes them; a number could not hold them. */
function toNanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}

function newId(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { until } from './gateway-poll.ts';
import { REQUESTS } from './otlp-messages.ts';
import { decodeMessage, type Message } from './protobuf.ts';

/** Attributes as plain values. */
export type ReceivedAttributes = Readonly<Record<string, unknown>>;

/** A span as it was received. */
export interface ReceivedSpan {
  readonly resource: ReceivedAttributes;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: ReceivedAttributes;
  /** 0 unset, 2 error. */
  readonly statusCode: number;
}

/** A metric as it was received, with one point for each set of labels. */
export interface ReceivedMetric {
  readonly resource: ReceivedAttributes;
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  /** 2 for counts since the start. */
  readonly temporality: number;
  readonly isMonotonic: boolean;
  readonly points: readonly ReceivedPoint[];
}

/** One value of a metric. */
export interface ReceivedPoint {
  readonly attributes: ReceivedAttributes;
  readonly value: number;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
  readonly bucketCounts: readonly number[];
}

/** A log record as it was received. */
export interface ReceivedLog {
  readonly resource: ReceivedAttributes;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: unknown;
  readonly eventName: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: ReceivedAttributes;
}

/** What a receiver does with an export: takes it, answers a status, or never answers. */
export type Behaviour = 'take' | 'hang' | number;

/** A receiver of OTLP over HTTP that keeps what it gets. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly metrics: readonly ReceivedMetric[];
  readonly logs: readonly ReceivedLog[];
  /** The path and the headers of each export, those that it did not take too. */
  readonly exports: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  behaviour: Behaviour;
  /** The spans of a trace, as soon as there are so many; in the order in which they began. */
  spansOf(traceId: string, count: number): Promise<readonly ReceivedSpan[]>;
  close(): Promise<void>;
}

/** Starts a receiver of OTLP over HTTP, in both of its forms: protobuf and JSON. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const kept = { spans: [] as ReceivedSpan[], metrics: [] as ReceivedMetric[], logs: [] as ReceivedLog[] };
  const exports: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((req, res) => void receive(req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    ...kept,
    exports,
    behaviour: 'take',
    async spansOf(traceId, count) {
      const find = (): ReceivedSpan[] => kept.spans.filter((span) => span.traceId === traceId);
      await until(`${count} spans of a trace arrive`, () => find().length >= count);
      return find().toSorted((one, other) => Number(one.start - other.start));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;

  async function receive(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { headers, url: path = '' } = req;
    const sent = await buffer(req);
    exports.push({ path, headers });
    if (receiver.behaviour === 'hang') {
      return;
    }
    if (receiver.behaviour !== 'take') {
      res.writeHead(receiver.behaviour).end();
      return;
    }
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    keep(path, headers['content-type'] === 'application/json' ? parse(body) : decode(path, body));
    res.writeHead(200, { 'content-type': String(headers['content-type']) }).end();
  }

  function keep(path: string, request: Message): void {
    if (path === '/v1/traces') {
      kept.spans.push(...itemsOf(request, 'resourceSpans', 'scopeSpans', 'spans').map(toSpan));
    } else if (path === '/v1/metrics') {
      kept.metrics.push(...itemsOf(request, 'resourceMetrics', 'scopeMetrics', 'metrics').map(toMetric));
    } else {
      kept.logs.push(...itemsOf(request, 'resourceLogs', 'scopeLogs', 'logRecords').map(toLog));
    }
  }
}

function parse(body: Buffer): Message {
  return JSON.parse(body.toString()) as Message;
}

function decode(path: string, body: Buffer): Message {
  const signal = path.replace('/v1/', '') as keyof typeof REQUESTS;
  return decodeMessage(body, REQUESTS[signal]);
}

interface Item {
  readonly item: Message;
  readonly resource: ReceivedAttributes;
  readonly scope: string;
}

function itemsOf(request: Message, byResource: string, byScope: string, name: string): Item[] {
  return listOf(request[byResource]).flatMap((ofResource) => {
    const resource = toAttributes((ofResource['resource'] as Message | undefined)?.['attributes']);
    return listOf(ofResource[byScope]).flatMap((ofScope) => {
      const scope = String((ofScope['scope'] as Message | undefined)?.['name']);
      return listOf(ofScope[name]).map((item) => ({ item, resource, scope }));
    });
  });
}

function listOf(value: unknown): Message[] {
  return (value as Message[] | undefined) ?? [];
}

function toAttributes(list: unknown): ReceivedAttributes {
  return Object.fromEntries(listOf(list).map(({ key, value }) => [String(key), toValue(value as Message)]));
}

function toValue(value: Message | undefined): unknown {
  const [kind = '', found] = Object.entries(value ?? {})[0] ?? [];
  if (kind === 'kvlistValue') {
    return toAttributes((found as Message)['values']);
  }
  if (kind === 'arrayValue') {
    return listOf((found as Message)['values']).map(toValue);
  }
  return kind === 'intValue' ? Number(found) : found;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function toSpan({ item, resource, scope }: Item): ReceivedSpan {
  return {
    resource,
    scope,
    traceId: textOf(item['traceId']),
    spanId: textOf(item['spanId']),
    parentSpanId: textOf(item['parentSpanId']),
    traceState: textOf(item['traceState']),
    name: textOf(item['name']),
    kind: Number(item['kind']),
    start: BigInt(textOf(item['startTimeUnixNano'])),
    end: BigInt(textOf(item['endTimeUnixNano'])),
    attributes: toAttributes(item['attributes']),
    statusCode: Number((item['status'] as Message | undefined)?.['code'] ?? 0),
  };
}

function toMetric({ item, resource }: Item): ReceivedMetric {
  const kind = (['gauge', 'sum', 'histogram'] as const).find((one) => one in item) ?? 'gauge';
  const data = item[kind] as Message;
  return {
    resource,
    name: textOf(item['name']),
    unit: textOf(item['unit']),
    kind,
    temporality: Number(data['aggregationTemporality'] ?? 0),
    isMonotonic: data['isMonotonic'] === true,
    points: listOf(data['dataPoints']).map((point) => ({
      attributes: toAttributes(point['attributes']),
      value: Number(point['asDouble'] ?? point['asInt']),
      count: Number(point['count']),
      sum: Number(point['sum']),
      bounds: ((point['explicitBounds'] as unknown[] | undefined) ?? []).map(Number),
      bucketCounts: ((point['bucketCounts'] as unknown[] | undefined) ?? []).map(Number),
    })),
  };
}

function toLog({ item, resource }: Item): ReceivedLog {
  return {
    resource,
    severityNumber: Number(item['severityNumber']),
    severityText: textOf(item['severityText']),
    body: toValue(item['body'] as Message),
    eventName: textOf(item['eventName']),
    traceId: textOf(item['traceId']),
    spanId: textOf(item['spanId']),
    attributes: toAttributes(item['attributes']),
  };
}

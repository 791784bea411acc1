import type { MessageType } from './protobuf.ts';

// The fields of opentelemetry-proto that a test looks at, by their numbers there:
// https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto

const anyValue: MessageType = {
  1: ['stringValue', 'string'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'number'],
  4: ['doubleValue', 'double'],
  5: ['arrayValue', () => ({ 1: ['values', () => anyValue, 'repeated'] })],
  6: ['kvlistValue', () => ({ 1: ['values', () => keyValue, 'repeated'] })],
};
const keyValue: MessageType = { 1: ['key', 'string'], 2: ['value', () => anyValue] };
const resource: MessageType = { 1: ['attributes', () => keyValue, 'repeated'] };
const scope: MessageType = { 1: ['name', 'string'], 2: ['version', 'string'] };

const span: MessageType = {
  1: ['traceId', 'hex'],
  2: ['spanId', 'hex'],
  3: ['traceState', 'string'],
  4: ['parentSpanId', 'hex'],
  5: ['name', 'string'],
  6: ['kind', 'number'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: ['attributes', () => keyValue, 'repeated'],
  15: ['status', () => ({ 2: ['message', 'string'], 3: ['code', 'number'] })],
};

const numberPoint: MessageType = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['asDouble', 'double'],
  6: ['asInt', 'fixed64'],
  7: ['attributes', () => keyValue, 'repeated'],
};
const histogramPoint: MessageType = {
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['bucketCounts', 'fixed64', 'repeated'],
  7: ['explicitBounds', 'double', 'repeated'],
  9: ['attributes', () => keyValue, 'repeated'],
};
const metric: MessageType = {
  1: ['name', 'string'],
  2: ['description', 'string'],
  3: ['unit', 'string'],
  5: ['gauge', () => ({ 1: ['dataPoints', () => numberPoint, 'repeated'] })],
  7: [
    'sum',
    () => ({
      1: ['dataPoints', () => numberPoint, 'repeated'],
      2: ['aggregationTemporality', 'number'],
      3: ['isMonotonic', 'bool'],
    }),
  ],
  9: [
    'histogram',
    () => ({ 1: ['dataPoints', () => histogramPoint, 'repeated'], 2: ['aggregationTemporality', 'number'] }),
  ],
};

const logRecord: MessageType = {
  1: ['timeUnixNano', 'fixed64'],
  2: ['severityNumber', 'number'],
  3: ['severityText', 'string'],
  5: ['body', () => anyValue],
  6: ['attributes', () => keyValue, 'repeated'],
  9: ['traceId', 'hex'],
  10: ['spanId', 'hex'],
  11: ['observedTimeUnixNano', 'fixed64'],
  12: ['eventName', 'string'],
};

/** The request of each signal: a list by resource of lists by scope. */
export const REQUESTS: Readonly<Record<'traces' | 'metrics' | 'logs', MessageType>> = {
  traces: inResources('resourceSpans', 'scopeSpans', 'spans', span),
  metrics: inResources('resourceMetrics', 'scopeMetrics', 'metrics', metric),
  logs: inResources('resourceLogs', 'scopeLogs', 'logRecords', logRecord),
};

function inResources(byResource: string, byScope: string, name: string, item: MessageType): MessageType {
  const ofScope: MessageType = { 1: ['scope', () => scope], 2: [name, () => item, 'repeated'] };
  const ofResource: MessageType = { 1: ['resource', () => resource], 2: [byScope, () => ofScope, 'repeated'] };
  return { 1: [byResource, () => ofResource, 'repeated'] };
}

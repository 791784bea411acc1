import { describe, expect, it } from '@jest/globals';
import type { ConfigFault } from '../../../src/failures.ts';
import type { OtlpSettings } from '../../../src/telemetry/otlp/otlp-settings.ts';
import { readOtlpSettings } from '../../../src/telemetry/otlp/read-settings.ts';

type Environment = Readonly<Record<string, string>>;

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp/' };

function read(env: Environment): { settings: OtlpSettings | undefined; faults: ConfigFault[] } {
  const faults: ConfigFault[] = [];
  return { settings: readOtlpSettings(env, faults), faults };
}

describe('what is sent', () => {
  it.each<[string, Environment, string[]]>([
    ['nothing without variables', {}, []],
    ['nothing for a name alone', { OTEL_SERVICE_NAME: 'x' }, []],
    ['all three for an endpoint', ENDPOINT, ['traces', 'metrics', 'logs']],
    ['nothing when the SDK is turned off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, []],
    ['not what is turned off', { ...ENDPOINT, OTEL_LOGS_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }, ['traces']],
    ['what is asked for by name, to the usual port', { OTEL_TRACES_EXPORTER: 'otlp' }, ['traces']],
    ['what has an endpoint of its own', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs.example/' }, ['logs']],
    ['nothing for an empty variable', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, []],
  ])('%s', (_, env, signals) => {
    const sent = Object.keys(read(env).settings ?? {});
    expect(sent.filter((key) => key !== 'resource')).toEqual(signals);
  });
});

describe('where it is sent', () => {
  it.each<[string, Environment, string]>([
    ['below the common endpoint', ENDPOINT, 'https://collector.example/otlp/v1/traces'],
    ['to the usual port of this machine', { OTEL_TRACES_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/traces'],
    [
      'to an endpoint of its own, as it is written',
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t.example/in?k=v' },
      'http://t.example/in?k=v',
    ],
  ])('%s', (_, env, url) => {
    expect(read(env).settings?.traces?.exporter.url).toBe(url);
  });

  it('with the variables of the signal before the common ones, and headers of both', () => {
    const { settings } = read({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1, api-key = s%20e',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'a=2',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: 'none',
    });
    expect(settings?.traces?.exporter).toMatchObject({
      headers: { a: '1', 'api-key': 's e' },
      protocol: 'http/json',
      timeoutMs: 2_000,
      compression: 'gzip',
    });
    expect(settings?.logs?.exporter).toMatchObject({
      headers: { a: '2', 'api-key': 's e' },
      protocol: 'http/protobuf',
      timeoutMs: 2_000,
      compression: 'none',
    });
  });
});

describe('who sends it', () => {
  it.each<[string, Environment, Environment]>([
    ['obo-gateway', {}, { 'service.name': 'obo-gateway' }],
    ['who the attributes name', { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a' }, { 'service.name': 'a' }],
    [
      'who the variable names, before the attributes',
      { OTEL_SERVICE_NAME: 'b', OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,deployment.environment.name=pro%64' },
      { 'service.name': 'b', 'deployment.environment.name': 'prod' },
    ],
  ])('%s', (_, env, resource) => {
    expect(read({ ...ENDPOINT, ...env }).settings?.resource).toEqual(resource);
  });
});

describe('which requests are traced', () => {
  it.each<[Environment, object]>([
    [{}, { isParentBased: true, root: 'always_on', ratio: 1 }],
    [
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' },
      { isParentBased: true, root: 'traceidratio', ratio: 0.01 },
    ],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' },
      { isParentBased: false, root: 'traceidratio', ratio: 0.5 },
    ],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, { isParentBased: false, root: 'always_off', ratio: 1 }],
  ])('%j', (env, sampler) => {
    expect(read({ ...ENDPOINT, ...env }).settings?.traces?.sampler).toEqual(sampler);
  });
});

describe('a wrong variable is one fault, which names it and what is allowed', () => {
  it.each([
    ['OTEL_SDK_DISABLED', 'yes', 'found "yes"; allowed: true, false'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'found "grpc"; allowed: http/protobuf, http/json'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc', 'found "grpc"; allowed: http/protobuf, http/json'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'found "zipkin"; allowed: otlp, none'],
    ['OTEL_LOGS_EXPORTER', 'otlp,console', 'found "otlp,console"; allowed: otlp, none'],
    ['OTEL_METRICS_EXPORTER', 'prometheus', 'found "prometheus"; allowed: otlp, none'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317', 'allowed: an http or https address without user and password'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://u:secret@c', 'allowed: an http or https address without user and password'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', 'found "10s"; allowed: a whole number of at least 1'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'found "zstd"; allowed: gzip, none'],
    [
      'OTEL_EXPORTER_OTLP_HEADERS',
      'secret',
      'allowed: pairs such as key=value,other=value, with values in percent-encoding',
    ],
    [
      'OTEL_EXPORTER_OTLP_HEADERS',
      'a=%zz',
      'allowed: pairs such as key=value,other=value, with values in percent-encoding',
    ],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a b=secret', 'allowed: names and values of HTTP headers'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=x%0d%0ay', 'allowed: names and values of HTTP headers'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/no/such/ca.pem', 'allowed: a file that can be read (ENOENT)'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', expect.stringContaining('allowed: always_on, parentbased_always_on')],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'found "0"; allowed: a whole number of at least 1'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '1e9', 'found "1e9"; allowed: a whole number of at least 1'],
    ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'delta', 'found "delta"; allowed: cumulative'],
    ['OTEL_PROPAGATORS', 'b3', 'allowed: tracecontext, or tracecontext,baggage'],
    [
      'OTEL_RESOURCE_ATTRIBUTES',
      'novalue',
      'allowed: pairs such as key=value,other=value, with values in percent-encoding',
    ],
  ])('%s: %s', (name, value, message) => {
    expect(read({ ...ENDPOINT, [name]: value }).faults).toEqual([{ at: name, message }]);
  });

  it('a sampling rate counts only where the sampler takes one', () => {
    const rate = { OTEL_TRACES_SAMPLER_ARG: 'often' };
    expect(read({ ...ENDPOINT, ...rate }).faults).toEqual([]);
    expect(read({ ...ENDPOINT, ...rate, OTEL_TRACES_SAMPLER: 'traceidratio' }).faults).toEqual([
      { at: 'OTEL_TRACES_SAMPLER_ARG', message: 'found "often"; allowed: a number from 0 to 1' },
    ]);
  });

  it('what nothing would use is no fault', () => {
    expect(read({ OTEL_TRACES_SAMPLER: 'nonsense', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).faults).toEqual([]);
  });
});

import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/failures.ts';
import { toPrincipal } from '../../src/session/principal.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import type { LogLevel } from '../../src/telemetry/log-level.ts';
import { createRequestLog, type LoggedRequests } from '../../src/telemetry/request-log.ts';
import { RequestRecord } from '../../src/telemetry/request-record.ts';

type Line = Record<string, unknown>;

interface Trial {
  readonly level?: LogLevel;
  readonly requests?: LoggedRequests;
  readonly record?: Partial<RequestRecord>;
  readonly headers?: IncomingMessage['headers'];
  readonly times?: number;
}

/** What a log and its audit log have after requests that ended like this. */
function log({ level, requests = 'all', record, headers = {}, times = 1 }: Trial): { lines: Line[]; audit: Line[] } {
  const lines: Line[] = [];
  const audit: Line[] = [];
  const logger = createLogger({ write: (line) => void lines.push(JSON.parse(line) as Line) }, level);
  const logRequest = createRequestLog(logger, {
    requests,
    audit: { write: (line) => void audit.push(JSON.parse(line) as Line) },
    trustedProxies: undefined,
  });
  const req = { method: 'GET', headers, socket: { remoteAddress: '192.0.2.1' } } as unknown as IncomingMessage;
  for (let time = 0; time < times; time += 1) {
    logRequest(req, Object.assign(new RequestRecord('id'), { status: 200, callerGone: false }, record));
  }
  return { lines, audit };
}

function refuse(error: GatewayError, more: Partial<RequestRecord> = {}): Partial<RequestRecord> {
  return { error, status: error.rule.status, ...more };
}

describe('the line of a request', () => {
  it.each<{ what: string; record: Partial<RequestRecord> }>([
    { what: 'one that went well', record: {} },
    { what: 'one whose operation needs escapes', record: { operation: 'GET /a"b\\c\n\u2028' } },
    { what: 'a refused one', record: refuse(new GatewayError('not_found', { log: { reason: 'a "reason"\n' } })) },
  ])('is one JSON object: $what', ({ record }) => {
    const { lines } = log({ record });
    expect(lines).toEqual([
      expect.objectContaining({
        msg: 'request',
        requestId: 'id',
        ...(record.operation && { operation: record.operation }),
      }),
    ]);
  });

  it('says of the failure what both know, once', () => {
    const error = new GatewayError('gateway_misconfigured', { log: { correlationId: 'of the failure' } });
    const { lines } = log({ record: refuse(error, { correlationId: 'of the request' }) });
    expect(lines).toMatchObject([{ correlationId: 'of the failure', code: 'gateway_misconfigured', level: 'error' }]);
  });

  it.each([
    ['a usual one', 'curl/8', 'curl/8'],
    ['a long one', 'a'.repeat(16_000), 'a'.repeat(200)],
    ['one that would rule a terminal', '\u009b31m\u001b[2Jé"', '?31m?[2J?"'],
    ['none', undefined, undefined],
  ])('has the user agent: %s', (_, agent, told) => {
    const headers = agent === undefined ? {} : { 'user-agent': agent };
    expect(log({ headers, times: 2 }).lines.map(({ userAgent }) => userAgent)).toEqual([told, told]);
  });

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '0af7651916cd43dd8448eb211c80319c'],
    ['01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', '0af7651916cd43dd8448eb211c80319c'],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', undefined],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', undefined],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', undefined],
    ['00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01', undefined],
    ['nonsense', undefined],
  ])('of the traceparent %s has the trace id %s', (traceparent, traceId) => {
    expect(log({ headers: { traceparent } }).lines[0]?.['traceId']).toBe(traceId);
  });
});

/** The text of the second of two lines, whose members are remembered from the first; its time and client left out. */
function writeTwice(record: Partial<RequestRecord>, method = 'GET'): string {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) }).child({ worker: 1 });
  const logRequest = createRequestLog(logger, { requests: 'all', audit: undefined, trustedProxies: undefined });
  const req = { method, headers: {}, socket: {} } as unknown as IncomingMessage;
  const whole = Object.assign(new RequestRecord('id'), record);
  logRequest(req, whole);
  logRequest(req, whole);
  return lines[1]?.replace(/"time":"[^"]+"/, '"time":0') ?? '';
}

describe('the text of the line is what JSON.stringify writes', () => {
  const principal = { ...toPrincipal({ tid: 't', scp: 'a', cnf: {} }), objectId: 'o', clientId: 'c' };

  const ODD = [
    '',
    'a',
    'GET /orders/{id}',
    ...Array.from({ length: 0x101 }, (_, code) => `a${String.fromCharCode(code)}b`),
    '"',
    '\\',
    '\u2028\u2029',
    '\ud800',
    '\udc00\ud800',
    '文字',
    '😀',
    '__proto__',
    'constructor',
    '$&$1',
    'x'.repeat(20_000),
    'é"\\\n'.repeat(5_000),
  ];

  it('whatever texts its members have', () => {
    for (const text of ODD) {
      const caller = { ...principal, tenantId: text, objectId: text, clientId: text };
      const texts = { operation: text, tool: text, downstream: text, correlationId: text };
      expect(writeTwice({ via: 'check', ...texts, principal: caller, tokenFrom: 'redis', status: 200 }, text)).toBe(
        `${JSON.stringify({
          level: 'info',
          time: 0,
          worker: 1,
          requestId: 'id',
          via: 'check',
          operation: text,
          tool: text,
          method: text,
          status: 200,
          tid: text,
          oid: text,
          azp: text,
          boundToken: true,
          downstream: text,
          token: 'redis',
          correlationId: text,
          ms: 0,
          msg: 'request',
        })}\n`,
      );
    }
  });

  it.each([
    [0, 0],
    [0.04, 0],
    [0.05, 0.1],
    [0.1, 0.1],
    [0.94, 0.9],
    [0.96, 1],
    [9.96, 10],
    [12.34, 12.3],
    [1_000, 1_000],
    [86_400_000.16, 86_400_000.2],
    [8_640_000_000.5, 8_640_000_000.5],
  ])('whatever times: %d ms', (ms, told) => {
    const {
      exchangeMs,
      downstreamMs,
      ms: all,
    } = JSON.parse(writeTwice({ exchangeMs: ms, downstreamMs: ms, durationMs: ms })) as Line;
    expect([exchangeMs, downstreamMs, all]).toEqual([told, told, told]);
    expect(writeTwice({ durationMs: ms })).toContain(`"ms":${JSON.stringify(told)},`);
  });

  it.each<[Partial<RequestRecord>, Line]>([
    [{}, { status: 0, ms: 0 }],
    [{ callerGone: true }, { status: 0, ms: 0, callerGone: true }],
    [
      { callerGone: false, status: 499 },
      { status: 499, ms: 0, callerGone: false },
    ],
    [
      { principal: { ...principal, objectId: undefined, clientId: undefined, isBound: false } },
      { status: 0, tid: 't', ms: 0 },
    ],
  ])('whatever is unknown of it: %j', (record, members) => {
    const line = {
      level: 'info',
      time: 0,
      worker: 1,
      requestId: 'id',
      method: 'GET',
      ...members,
      msg: 'request',
    };
    expect(writeTwice(record)).toBe(`${JSON.stringify(line)}\n`);
  });

  it('of more values than are remembered', () => {
    const written: string[] = [];
    const logger = createLogger({ write: (line) => void written.push((JSON.parse(line) as Line)['tid'] as string) });
    const logRequest = createRequestLog(logger, { requests: 'all', audit: undefined, trustedProxies: undefined });
    const req = { method: 'GET', headers: {}, socket: {} } as unknown as IncomingMessage;
    const tenants = Array.from({ length: 1_500 }, (_, index) => `tenant "${index}"`);
    for (const tenantId of [...tenants, ...tenants]) {
      logRequest(req, Object.assign(new RequestRecord('id'), { principal: { ...principal, tenantId } }));
    }
    expect(written).toEqual([...tenants, ...tenants]);
  });
});

describe('of 1,000 requests', () => {
  const bad = new GatewayError('invalid_token');

  it.each<{ requests: LoggedRequests; what: string; record: Partial<RequestRecord>; least: number; most: number }>([
    { requests: 'all', what: 'that went well', record: {}, least: 1_000, most: 1_000 },
    { requests: 1, what: 'that went well', record: {}, least: 1_000, most: 1_000 },
    { requests: 0.5, what: 'that went well', record: {}, least: 350, most: 650 },
    { requests: 0.01, what: 'that went well', record: {}, least: 0, most: 60 },
    { requests: 0, what: 'that went well', record: {}, least: 0, most: 0 },
    { requests: 'errors', what: 'that went well', record: {}, least: 0, most: 0 },
    { requests: 'errors', what: 'that were redirected', record: { status: 302 }, least: 0, most: 0 },
    { requests: 'errors', what: 'that were refused', record: refuse(bad), least: 1_000, most: 1_000 },
    { requests: 0.01, what: 'that were refused', record: refuse(bad), least: 1_000, most: 1_000 },
    { requests: 'errors', what: 'that the downstream refused', record: { status: 404 }, least: 1_000, most: 1_000 },
    { requests: 'errors', what: 'whose downstream failed', record: { status: 500 }, least: 1_000, most: 1_000 },
    { requests: 'errors', what: 'whose caller left', record: { callerGone: true }, least: 1_000, most: 1_000 },
  ])('$what, `requests: $requests` writes $least to $most', ({ requests, record, least, most }) => {
    const written = log({ requests, record, times: 1_000 }).lines.length;
    expect([written >= least, written <= most]).toEqual([true, true]);
  });
});

describe('the level', () => {
  it.each<[LogLevel, Partial<RequestRecord>, number]>([
    ['debug', {}, 1],
    ['info', {}, 1],
    ['warn', {}, 0],
    ['warn', refuse(new GatewayError('invalid_token')), 0],
    ['warn', refuse(new GatewayError('downstream_timeout')), 1],
    ['error', refuse(new GatewayError('downstream_timeout')), 0],
    ['error', refuse(new GatewayError('internal_error')), 1],
  ])('%s counts for the lines of requests: %j is %i line(s)', (level, record, count) => {
    expect(log({ level, record }).lines).toHaveLength(count);
  });
});

describe('the audit log', () => {
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

  it.each<[string, Partial<RequestRecord>, Line | undefined]>([
    ['a request that went well', {}, undefined],
    ['a path that is not there', refuse(new GatewayError('not_found')), undefined],
    ['no token', refuse(new GatewayError('missing_token')), undefined],
    [
      'a bad token',
      refuse(new GatewayError('invalid_token', { log: { reason: 'expired', tid: 'tenant' } }), { operation: 'a' }),
      { event: 'token.refused', code: 'invalid_token', reason: 'expired', tid: 'tenant' },
    ],
    [
      'a token without the scope',
      refuse(new GatewayError('insufficient_scope', { scopes: ['a'] }), { operation: 'a' }),
      { event: 'token.refused', code: 'insufficient_scope' },
    ],
    [
      'a tenant that is not on the list',
      refuse(new GatewayError('access_denied'), { operation: 'a' }),
      { event: 'token.refused', code: 'access_denied' },
    ],
    ['an address that is not served, before any token', refuse(new GatewayError('access_denied')), undefined],
    ['a denial of Entra', refuse(new GatewayError('access_denied'), { downstream: 'graph' }), undefined],
    [
      'claims',
      refuse(new GatewayError('insufficient_claims', { claims }), { downstream: 'graph' }),
      { event: 'challenge.sent', claims, downstream: 'graph' },
    ],
    [
      'an authentication context',
      refuse(new GatewayError('insufficient_claims', { claims, authContext: true })),
      { event: 'challenge.sent', authContext: 'c1' },
    ],
    [
      'consent',
      refuse(new GatewayError('consent_required', { scopes: ['User.Read'] })),
      { event: 'challenge.sent', scopes: ['User.Read'] },
    ],
    ['a loop', refuse(new GatewayError('step_up_unsatisfiable')), { event: 'stepup.loop' }],
  ])('of %s has the line that the log has, whatever the level', (_, record, told) => {
    const { lines, audit } = log({ record });
    const silent = log({ record, level: 'error', requests: 'errors' });
    expect(audit).toEqual(told === undefined ? [] : [expect.objectContaining(told)]);
    expect([silent.lines, silent.audit.length]).toEqual([[], audit.length]);
    expect(lines[0]?.['event']).toBe(told?.['event']);
    expect(told === undefined || JSON.stringify(audit) === JSON.stringify(lines)).toBe(true);
  });
});

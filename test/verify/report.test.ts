import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Coverage } from '../../src/verify/coverage.ts';
import { answerRight, json, runVerify, verifySmall, type SeenRequest } from './small-gateway.ts';

const USER = { VERIFY_USER_TOKEN: 'user' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-report-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('a report as text', () => {
  it('names after the calls what the contract declares and no call got, and says how much was tried', async () => {
    const { code, out } = await verifySmall(answerRight, { env: USER });
    expect(out.slice(-4)).toEqual([
      'unmet  getStatus  404 application/json, 404 text/plain',
      'unmet  startJob  202',
      'coverage  3 of 3 operations, 1 of 1 parameters, 1 of 2 bodies, 2 of 5 responses',
      expect.stringMatching(/^\d+ passed, 0 failed, \d+ skipped$/),
    ]);
    expect(code).toBe(0);
  });

  it('counts an operation as tried only when a call came further than the question who may call', async () => {
    const { out } = await verifySmall(answerRight);
    expect(out).toContain('coverage  1 of 3 operations, 0 of 1 parameters, 0 of 2 bodies, 1 of 5 responses');
  });

  it('counts an answer by the media type that it has', async () => {
    const { out } = await verifySmall((request) =>
      request.path === '/status'
        ? { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'No.' }
        : answerRight(request),
    );
    expect(out).toContain('unmet  getStatus  200 application/json, 404 application/json');
  });
});

describe('a report in another form', () => {
  it('is JSON alone on standard output', async () => {
    const { out } = await verifySmall(answerRight, { env: USER, args: ['--format', 'json'] });
    const report = JSON.parse(out.join('\n')) as Record<string, unknown>;
    expect(report).toMatchObject({
      failed: 0,
      unmet: [
        { operation: 'getStatus', status: '404', mediaType: 'application/json' },
        { operation: 'getStatus', status: '404', mediaType: 'text/plain' },
        { operation: 'startJob', status: '202' },
      ],
      coverage: { operations: { declared: 3, tried: 3 }, responses: { declared: 5, tried: 2 } },
    });
    expect(report['outcomes']).toContainEqual({
      subject: 'getThing',
      case: 'well',
      outcome: 'pass',
      status: 200,
      durationMs: expect.any(Number),
    });
    expect(report['outcomes']).toContainEqual({
      subject: 'startJob',
      case: 'well',
      outcome: 'skip',
      reason: 'it changes data; --write allows it',
      durationMs: expect.any(Number),
    });
  });

  it('is JUnit XML with a suite for each operation, path and document', async () => {
    const { code, out } = await verifySmall(failing, { args: ['--format', 'junit'] });
    const xml = out.join('\n');
    expect(xml).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="obo-gateway verify" /);
    expect(xml).toMatch(/<testsuite name="getStatus" tests="3" failures="2" errors="0" skipped="0" time="[\d.]+">/);
    expect(xml).toContain(
      '<failure message="expected a success, got 500 text/html; expected a declared status (200, 404), got 500"/>',
    );
    expect(xml).toContain('<skipped message="no VERIFY_USER_TOKEN or VERIFY_USER_TOKEN_STEPPED_UP"/>');
    expect(xml).toContain('<testsuite name="unknown paths" ');
    expect(xml).toContain('<testsuite name="/openapi.json" ');
    expect(xml).toContain('<system-out>declared, but no call got: 202</system-out>');
    expect(code).toBe(1);
  });

  it('goes to a file beside the text on standard output', async () => {
    const [output, coverage] = [join(folder, 'report.xml'), join(folder, 'coverage.json')];
    const args = ['--format', 'junit', '--output', output, '--coverage', coverage];
    const { out } = await verifySmall(answerRight, { args, env: USER });
    expect(out).toContain('pass  getStatus  well');
    expect(await readFile(output, 'utf8')).toContain('</testsuites>\n');
    const read = JSON.parse(await readFile(coverage, 'utf8')) as Coverage;
    expect(read).toMatchObject({ bodies: { declared: 2, tried: 1 } });
    expect(read.byOperation[2]).toEqual({
      operation: 'startJob',
      method: 'POST',
      path: '/jobs',
      tried: true,
      parameters: [],
      bodies: [
        { mediaType: 'application/json', tried: true },
        { mediaType: 'text/csv', tried: false },
      ],
      responses: [{ status: '202', tried: false }],
    });
  });

  it('of text is in the file what it is on standard output', async () => {
    const output = join(folder, 'report.txt');
    const { out } = await verifySmall(answerRight, { args: ['--output', output] });
    expect(await readFile(output, 'utf8')).toBe(`${out.join('\n')}\n`);
  });

  it.each([['json'], ['junit'], ['text']])('repeats no token and no control character: %s', async (format) => {
    const hostile = { ...json({}), status: 500, headers: { 'content-type': 'eyJhbGciOiJub25lIn0.e30. \u0080]0;x' } };
    const { out } = await verifySmall((request) => (request.path === '/status' ? hostile : answerRight(request)), {
      args: ['--format', format],
    });
    expect(out.join('\n')).toContain('(a token)');
    expect(out.join('\n')).not.toMatch(/eyJ|(?!\n)\p{Cc}/u);
  });
});

describe('a report that cannot be written', () => {
  it.each([
    ['an unknown form', ['--format', 'xml'], '--format: must be text, json or junit; found xml'],
    ['a folder', ['--output', tmpdir()], `--output: the file ${tmpdir()} cannot be written (EISDIR)`],
    ['no folder', ['--coverage', '/nowhere/c.json'], '--coverage: the file /nowhere/c.json cannot be written (ENOENT)'],
  ])('ends the command before any call: %s', async (_case, args, message) => {
    const { code, errors } = await runVerify(['--contract', '/nowhere', '--url', 'http://127.0.0.1:9', ...args]);
    expect(errors).toEqual([message]);
    expect(code).toBe(2);
  });
});

function failing(request: SeenRequest): ReturnType<typeof answerRight> {
  const fault = { status: 500, headers: { 'content-type': 'text/html' }, body: '' };
  return request.path === '/status' ? fault : answerRight(request);
}

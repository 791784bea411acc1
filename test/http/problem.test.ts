import { describe, expect, it } from '@jest/globals';
import { toProblem } from '../../src/http/problem.ts';
import { codeOf, FAILURES, GatewayError, type Failure } from '../../src/failures.ts';

const request = { instance: '/orders/1', requestId: 'r-1' };
const names = Object.keys(FAILURES) as Failure[];

describe('the problem document', () => {
  it.each(names)('of %s has every member of RFC 9457 and ours', (failure) => {
    const { status, title, detail } = FAILURES[failure];
    const code = codeOf(failure);
    expect(toProblem(new GatewayError(failure), request)).toEqual({
      type: `urn:obo-gateway:problem:${code}`,
      title,
      status,
      detail,
      instance: '/orders/1',
      code,
      requestId: 'r-1',
    });
  });

  it('calls a malformed header by the code of RFC 6750', () => {
    expect(toProblem(new GatewayError('malformed_authorization'), request)).toMatchObject({
      status: 400,
      code: 'invalid_request',
      type: 'urn:obo-gateway:problem:invalid_request',
    });
  });

  it('says the more exact detail where there is one', () => {
    expect(toProblem(new GatewayError('invalid_request', { detail: 'Exactly this.' }), request).detail).toBe(
      'Exactly this.',
    );
  });

  it('shows what helps the caller', () => {
    const shown = {
      claims: '{"access_token":{}}',
      suberror: 'basic_action',
      scopes: ['a', 'b'],
      consentUri: 'https://login.microsoftonline.com/x',
      errors: [{ detail: 'too short', pointer: '/name' }],
    };
    expect(toProblem(new GatewayError('insufficient_claims', shown), request)).toMatchObject(shown);
  });

  it('shows nothing of the log, the cause and what only the headers carry', () => {
    const hidden = {
      log: { remedy: 'secret-remedy' },
      cause: new Error('secret-cause'),
      retryAfter: 424242,
      allow: ['SECRET'],
      authContext: true,
    };
    const text = JSON.stringify(toProblem(new GatewayError('identity_unavailable', hidden), request));
    expect(text).not.toMatch(/secret|424242|authContext|stack|log|cause/i);
  });

  it('has no member without a value', () => {
    expect(Object.values(toProblem(new GatewayError('access_denied'), request))).not.toContain(undefined);
  });
});

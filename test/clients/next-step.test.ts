import { describe, expect, it } from '@jest/globals';
import { findNextStep, readClaims } from '../../examples/recover/next-step.ts';
import { makeExampleAnswers } from '../../dev/docs/example-answers.ts';
import type { Failure } from '../../src/failures.ts';

const answers = await makeExampleAnswers();

const EXPECTED = {
  missing_token: 'renew',
  malformed_authorization: 'stop',
  invalid_token: 'renew',
  insufficient_scope: 'stop',
  access_denied: 'stop',
  insufficient_claims: 'renew',
  claims_as_scope: 'stop',
  interaction_required: 'signIn',
  consent_required: 'consent',
  client_not_capable: 'stop',
  step_up_unsatisfiable: 'stop',
  invalid_request: 'stop',
  call_not_described: 'stop',
  // MCP clients read these themselves.
  header_mismatch: 'use',
  undecidable_message: 'use',
  unsupported_media_type: 'stop',
  upgrade_required: 'stop',
  target_too_long: 'stop',
  not_found: 'stop',
  method_not_allowed: 'stop',
  request_timeout: 'stop',
  payload_too_large: 'stop',
  too_many_requests: 'wait',
  headers_too_large: 'stop',
  overloaded: 'wait',
  gateway_misconfigured: 'stop',
  internal_error: 'stop',
  identity_unavailable: 'wait',
  downstream_rejected_token: 'stop',
  downstream_unreachable: 'stop',
  downstream_invalid_response: 'stop',
  downstream_timeout: 'stop',
  downstream_unavailable: 'wait',
} as const satisfies Record<Failure, string>;

describe('examples/recover/next-step.ts', () => {
  it.each(Object.entries(EXPECTED))('after %s: %s', async (failure, expected) => {
    const { status, contentType, headers, body } = answers[failure as Failure];
    const response = new Response(body, {
      status,
      headers: { 'content-type': contentType, ...headers },
    });
    expect((await findNextStep(response)).do).toBe(expected);
  });

  it.each([
    ['a success', new Response('{}', { headers: { 'content-type': 'application/json' } })],
    ['a page', new Response('<p>', { status: 404, headers: { 'content-type': 'text/html' } })],
    [
      "the API's own problem",
      Response.json(
        { type: 'about:blank', status: 409 },
        { status: 409, headers: { 'content-type': 'application/problem+json' } },
      ),
    ],
    ...['<p>', '', 'null', '[]', '{"type":7}'].map(
      (body) =>
        [
          `a problem of the API that reads ${JSON.stringify(body)}`,
          new Response(body, { status: 500, headers: { 'content-type': 'application/problem+json' } }),
        ] as const,
    ),
  ])('uses %s as it is', async (_, response) => {
    expect(await findNextStep(response)).toEqual({ do: 'use' });
  });

  it('reads claims with letters of any alphabet', () => {
    const claims = '{"access_token":{"name":{"value":"Zoë 李"}}}';
    const header = `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;
    expect(readClaims(header)).toBe(claims);
  });
});

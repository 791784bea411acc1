import { describe, expect, it } from '@jest/globals';
import { preferClaims } from '../../src/challenge/prefer-claims.ts';
import { codeOf, FAILURES, GatewayError, type Failure, type FailureFacts } from '../../src/failures.ts';

const THEIRS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
const ENTRAS = '{"access_token":{"capolids":{"essential":true,"values":["x"]}}}';

/** What the caller hears when Entra refused with that failure. */
function heard(failure: Failure, facts: FailureFacts = {}): { code: string } & FailureFacts {
  const error = preferClaims(new GatewayError(failure, facts), THEIRS) as GatewayError;
  return { code: error.code, ...error.facts };
}

describe('the claims of a downstream', () => {
  it.each(['interaction_required', 'invalid_token'] as const)('are asked for when Entra only says %s', (failure) => {
    const facts = { suberror: 'bad_token', log: { entra: {} } };
    expect(heard(failure, facts)).toEqual({ code: 'insufficient_claims', claims: THEIRS, ...facts });
  });

  it('give way to Entra’s own', () => {
    expect(heard('insufficient_claims', { claims: ENTRAS })).toEqual({
      code: 'insufficient_claims',
      claims: ENTRAS,
    });
  });

  const others = (Object.keys(FAILURES) as Failure[]).filter(
    (name) => !['interaction_required', 'invalid_token', 'insufficient_claims'].includes(name),
  );

  it.each(others)('give way to %s', (failure) => {
    expect(heard(failure)).toEqual({ code: codeOf(failure) });
  });

  it('give way to an error that is none of ours', () => {
    const error = new TypeError('x');
    expect(preferClaims(error, THEIRS)).toBe(error);
  });
});

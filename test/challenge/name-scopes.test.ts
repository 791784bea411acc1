import { describe, expect, it } from '@jest/globals';
import { nameScopes } from '../../src/challenge/name-scopes.ts';
import { GatewayError, type Failure } from '../../src/failures.ts';
import type { Access } from '../../src/session/requirement.ts';

const READ = { caller: 'user', scopes: ['api://a/Read', 'api://a/List'], claimed: ['Read', 'List'] } as const;
const WRITE = { caller: 'user', scopes: ['api://a/Write'], claimed: ['Write'] } as const;
const DAEMON = { caller: 'app', roles: ['Orders.Read.All'] } as const;

/** The scopes that a refusal names. */
function scopesOf(failure: Failure, access: Access): readonly string[] | undefined {
  return (nameScopes(new GatewayError(failure), access) as GatewayError).facts.scopes;
}

describe('a 401 about the token names what the operation asks of a user', () => {
  it.each<[Failure, Access]>([
    ['missing_token', [READ]],
    ['invalid_token', [READ]],
    ['invalid_token', [READ, WRITE]],
    ['missing_token', [DAEMON, READ]],
  ])('for the failure %s of an operation with %j', (failure, access) => {
    expect(scopesOf(failure, access)).toEqual(READ.scopes);
  });

  it.each<[string, Failure, Access]>([
    ['for apps only', 'missing_token', [DAEMON]],
    ['that asks for no scope', 'invalid_token', [{ caller: 'user', scopes: [], claimed: [] }]],
    ['for anybody', 'invalid_token', 'anonymous'],
    ['that lets nobody in', 'missing_token', []],
    ['whose request is malformed', 'malformed_authorization', [READ]],
    ['that wants more proof', 'insufficient_claims', [READ]],
    ['that wants another sign-in', 'interaction_required', [READ]],
    ['that is denied', 'access_denied', [READ]],
  ])('but not for an operation %s', (_what, failure, access) => {
    expect(scopesOf(failure, access)).toBeUndefined();
  });

  it('without a change to a failure that several requests share', () => {
    const shared = new GatewayError('invalid_token', { log: { reason: 'r' } });
    const named = nameScopes(shared, [READ]) as GatewayError;
    expect([shared.facts, named.facts]).toEqual([
      { log: { reason: 'r' } },
      { log: { reason: 'r' }, scopes: READ.scopes },
    ]);
  });

  it('and leaves what is no refusal as it is', () => {
    const fault = new Error('a fault');
    expect(nameScopes(fault, [READ])).toBe(fault);
  });
});

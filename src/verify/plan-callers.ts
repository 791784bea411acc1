import { isOptional } from '../contract/operations/access.ts';
import { SAFE_METHODS, SUCCESS, type Caller, type Draft, type Expectation } from './case.ts';
import type { TriedOperation } from './load-operations.ts';

/** The calls that show who is let in, beside the one that is made well. */
export function planCallers(operation: TriedOperation): Draft[] {
  const { access, method, authContext } = operation;
  if (access === 'anonymous') {
    // An anonymous operation ignores the caller's token, a bad one too.
    const isSafe = SAFE_METHODS.includes(method);
    return isSafe ? [{ name: 'with a bad token', callers: ['stranger'], expectation: SUCCESS }] : [];
  }
  const users = access.filter((requirement) => requirement.caller === 'user').map(({ scopes }) => scopes);
  const apps = access.filter((requirement) => requirement.caller === 'app').map(({ roles }) => roles);
  const isForApps = apps.length > 0 && authContext === undefined;
  const needsScope = users.length > 0 && users.every((scopes) => scopes.length > 0);
  // Where nobody needs a token, who has one that permits nothing is nobody.
  const lacking: Expectation = isOptional(access)
    ? SUCCESS
    : { kind: 'refusal', failure: 'insufficient_scope', scopes: [...users, ...apps] };
  return [
    { name: 'without a token', callers: ['nobody'], expectation: isOptional(access) ? SUCCESS : NO_TOKEN },
    { name: 'with a bad token', callers: ['stranger'], expectation: { kind: 'refusal', failure: 'invalid_token' } },
    ...(needsScope ? [{ name: 'without the scope', callers: ['scopeless'], expectation: lacking } as const] : []),
    ...(users.length === 0 ? [{ name: 'as a user', callers: ['user'], expectation: lacking } as const] : []),
    ...(isForApps && users.length === 0
      ? []
      : [{ name: 'as an app', callers: ['app'], expectation: isForApps ? SUCCESS : lacking } as const]),
    // How an MCP server asks for proof depends on the client, and on where that gets its tokens.
    ...(operation.isOfMcpServer ? [] : planStepUp(authContext)),
  ];
}

const NO_TOKEN: Expectation = { kind: 'refusal', failure: 'missing_token' };

function planStepUp(authContext: string | undefined): Draft[] {
  return authContext === undefined
    ? []
    : [
        {
          name: STEP_UP_CASE,
          callers: ['user'],
          expectation: { kind: 'refusal', failure: 'insufficient_claims', authContext },
        },
      ];
}

/** The case in which the authentication context is missing; for a published contract the answers tell of it. */
export const STEP_UP_CASE = 'without the step-up';

/** Who may call an operation, with a token wherever one says something. */
export function callersOf({ access, authContext }: TriedOperation): readonly Caller[] {
  if (access === 'anonymous') {
    return ['nobody'];
  }
  if (!access.some(({ caller }) => caller === 'user')) {
    return ['app'];
  }
  return authContext === undefined ? ['user', 'steppedUp'] : ['steppedUp'];
}

/** Who comes as far as the check of the request: without a token wherever none is needed. */
export function easiestCallersOf(operation: TriedOperation): readonly Caller[] {
  const { access } = operation;
  return access !== 'anonymous' && isOptional(access) ? ['nobody'] : callersOf(operation);
}

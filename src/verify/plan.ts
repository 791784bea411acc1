import { findMediaType } from '../contract/body.ts';
import type { Failure } from '../failures.ts';
import { breakBody, breakParameter } from './broken-parts.ts';
import type { TriedBody, TriedOperation, TriedParameter } from './load-operations.ts';
import {
  EMPTY_PARTS,
  toSource,
  withBody,
  withoutParameter,
  withParameter,
  type RequestParts,
} from './request-parts.ts';
import type { TokenName } from './tokens.ts';

/** Who makes a call: someone without a token, with one that is none, or the holder of a token. */
export type Caller = 'nobody' | 'stranger' | TokenName;

/** What must come of a call. */
export type Expectation =
  /** One of the successes that the contract declares. */
  | { readonly kind: 'success' }
  | {
      readonly kind: 'refusal';
      readonly failure: Failure;
      /** The challenge must name one of these lists of scopes or roles. */
      readonly scopes?: readonly (readonly string[])[];
      /** The claims must ask for this authentication context. */
      readonly authContext?: string;
      /** One of the problem's errors must be about this place. */
      readonly place?: { readonly in: string; readonly name?: string };
    };

/** One call to one operation. */
export interface Case {
  readonly operation: TriedOperation;
  readonly name: string;
  /** In the order in which they are tried: the next one only when more proof is asked for. */
  readonly callers: readonly Caller[];
  readonly parts: RequestParts;
  readonly expectation: Expectation;
  /** True when a call that succeeds may change something. */
  readonly changesData: boolean;
  /** Why the call cannot be made, if so. */
  readonly obstacle?: string;
}

/** What deletes comes last, so that the other operations still find something. */
const ORDER = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];
const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

const SUCCESS: Expectation = { kind: 'success' };

/** The calls that show whether a gateway keeps a contract. */
export function planCases(operations: readonly TriedOperation[]): Case[] {
  return operations
    .toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method))
    .flatMap((operation) => planOperation(operation));
}

type Draft = Pick<Case, 'name' | 'callers' | 'expectation'> & Partial<Case>;

function planOperation(operation: TriedOperation): Case[] {
  const { parts, obstacle } = composeSample(operation);
  const drafts: Draft[] = [
    ...planCallers(operation),
    ...planParameters(operation, parts),
    ...planBody(operation, parts),
    planWell(operation),
  ];
  return drafts.map((draft) => ({
    operation,
    parts,
    changesData: draft.expectation.kind === 'success' && !SAFE.includes(operation.method),
    // The gateway decides who may call before it checks the request, so a refusal of the caller needs no valid request.
    ...(obstacle === undefined || isAboutCaller(draft.expectation) ? {} : { obstacle }),
    ...draft,
  }));
}

/** True for a refusal that is decided before anything of the request but its token is looked at. */
export function isAboutCaller(expectation: Expectation): boolean {
  return expectation.kind === 'refusal' && expectation.failure !== 'invalid_request';
}

/** Why a plain request to a WebSocket shows nothing. */
export const IS_WEBSOCKET = 'it is a WebSocket';

/** Every required part, and those optional ones for which the contract has an example. */
function composeSample(operation: TriedOperation): { parts: RequestParts; obstacle?: string } {
  if (operation.isWebSocket) {
    return { parts: EMPTY_PARTS, obstacle: IS_WEBSOCKET };
  }
  const given = operation.parameters.filter(({ declaration, hasExample }) => declaration.required || hasExample);
  const parts = given.reduce(
    (soFar, { declaration, sample }) => withParameter(soFar, declaration, sample),
    operation.body === undefined ? EMPTY_PARTS : withBody(EMPTY_PARTS, operation.body, operation.body.sample),
  );
  const unmet = given.find(({ check }) => check(toSource(parts)).length > 0)?.declaration;
  const isBodyUnmet = operation.body?.check?.(operation.body.sample) !== undefined;
  const missing =
    unmet === undefined ? (isBodyUnmet ? 'the body' : undefined) : `the ${unmet.in} parameter ${unmet.name}`;
  return missing === undefined
    ? { parts }
    : { parts, obstacle: `no valid value could be made for ${missing}; give it an example in the contract` };
}

function planCallers(operation: TriedOperation): Draft[] {
  const { access, method, authContext } = operation;
  if (access === 'anonymous') {
    // An anonymous operation ignores the caller's token, a bad one too.
    return SAFE.includes(method) ? [{ name: 'with a bad token', callers: ['stranger'], expectation: SUCCESS }] : [];
  }
  const users = access.filter((requirement) => requirement.caller === 'user').map(({ scopes }) => scopes);
  const apps = access.filter((requirement) => requirement.caller === 'app').map(({ roles }) => roles);
  const isForApps = apps.length > 0 && authContext === undefined;
  const lacking = { kind: 'refusal', failure: 'insufficient_scope', scopes: [...users, ...apps] } as const;
  const needsScope = users.length > 0 && users.every((scopes) => scopes.length > 0);
  return [
    { name: 'without a token', callers: ['nobody'], expectation: { kind: 'refusal', failure: 'missing_token' } },
    { name: 'with a bad token', callers: ['stranger'], expectation: { kind: 'refusal', failure: 'invalid_token' } },
    ...(needsScope ? [{ name: 'without the scope', callers: ['scopeless'], expectation: lacking } as const] : []),
    ...(users.length === 0 ? [{ name: 'as a user', callers: ['user'], expectation: lacking } as const] : []),
    ...(isForApps && users.length === 0
      ? []
      : [{ name: 'as an app', callers: ['app'], expectation: isForApps ? SUCCESS : lacking } as const]),
    ...planStepUp(authContext),
  ];
}

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

function planParameters(operation: TriedOperation, parts: RequestParts): Draft[] {
  return operation.parameters.flatMap((parameter) => {
    const { declaration } = parameter;
    const label = `${declaration.in} parameter ${declaration.name}`;
    const broken = breakParameter(parts, parameter);
    return [
      ...(broken === undefined ? [] : [refuse(operation, `with a broken ${label}`, broken, placeOf(parameter))]),
      ...(declaration.required && declaration.in !== 'path'
        ? [refuse(operation, `without the ${label}`, withoutParameter(parts, parameter), placeOf(parameter))]
        : []),
    ];
  });
}

function placeOf({ declaration }: TriedParameter): { in: string; name: string } {
  return { in: declaration.in, name: declaration.name };
}

const OTHER_MEDIA_TYPE = 'application/x-not-in-the-contract';

function planBody(operation: TriedOperation, parts: RequestParts): Draft[] {
  const { body } = operation;
  if (body === undefined) {
    return [];
  }
  const required = body.rule.required
    ? [refuse(operation, 'without its body', { ...parts, body: undefined }, { in: 'body' })]
    : [];
  return body.check === undefined ? required : [...required, ...planJsonBody(operation, parts, body, body.check)];
}

function planJsonBody(
  operation: TriedOperation,
  parts: RequestParts,
  body: TriedBody,
  check: NonNullable<TriedBody['check']>,
): Draft[] {
  const { mediaType, rule, sample } = body;
  const broken = breakBody(sample, check);
  const text = JSON.stringify(sample);
  const isOther = findMediaType(rule, OTHER_MEDIA_TYPE) === undefined;
  const place = { in: 'body' };
  return [
    refuse(operation, 'with a body that is not JSON', { ...parts, body: { mediaType, text: '{not JSON' } }, place),
    ...(broken === undefined
      ? []
      : [refuse(operation, 'with a broken body', withBody(parts, body, broken.value), place)]),
    ...(isOther
      ? [
          refuse(
            operation,
            'with a body of another media type',
            { ...parts, body: { mediaType: OTHER_MEDIA_TYPE, text } },
            { in: 'header', name: 'content-type' },
          ),
        ]
      : []),
  ];
}

function refuse(
  operation: TriedOperation,
  name: string,
  parts: RequestParts,
  place: { readonly in: string; readonly name?: string },
): Draft {
  return {
    name,
    parts,
    callers: callersOf(operation),
    expectation: { kind: 'refusal', failure: 'invalid_request', place },
  };
}

function planWell(operation: TriedOperation): Draft {
  return { name: 'well', callers: callersOf(operation), expectation: SUCCESS };
}

/** Who may call the operation. */
function callersOf({ access, authContext }: TriedOperation): readonly Caller[] {
  if (access === 'anonymous') {
    return ['nobody'];
  }
  if (!access.some(({ caller }) => caller === 'user')) {
    return ['app'];
  }
  return authContext === undefined ? ['user', 'steppedUp'] : ['steppedUp'];
}

import { findMediaType } from '../contract/checks/body.ts';
import { breakBody, breakParameter } from './broken-parts.ts';
import { SAFE_METHODS, SUCCESS, type Case, type Draft, type Expectation } from './case.ts';
import type { TriedBody, TriedOperation, TriedParameter } from './load-operations.ts';
import { callersOf, easiestCallersOf, planCallers } from './plan-callers.ts';
import {
  EMPTY_PARTS,
  toSource,
  withBody,
  withoutParameter,
  withParameter,
  type RequestParts,
} from './request-parts.ts';

/** What deletes comes last, so that the other operations still find something. */
const ORDER = ['GET', 'HEAD', 'OPTIONS', 'QUERY', 'POST', 'PUT', 'PATCH', 'another', 'DELETE'];

/** The calls that show whether a gateway keeps a contract. */
export function planCases(operations: readonly TriedOperation[]): Case[] {
  return operations
    .toSorted((a, b) => rankOf(a.method) - rankOf(b.method))
    .flatMap((operation) => planOperation(operation));
}

function rankOf(method: string): number {
  return ORDER.indexOf(ORDER.includes(method) ? method : 'another');
}

function planOperation(operation: TriedOperation): Case[] {
  const { parts, obstacle } = composeSample(operation);
  const drafts: Draft[] = [
    ...planCallers(operation),
    ...planParameters(operation, parts),
    ...planBody(operation, parts),
    planWell(operation),
    ...planHead(operation),
  ];
  return drafts.map((draft) => ({
    operation,
    parts,
    changesData: draft.expectation.kind === 'success' && !SAFE_METHODS.includes(operation.method),
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

/** Its server answers messages in their order, in a session if it has any. */
const IS_OF_MCP_SERVER = 'only an MCP client calls it well';

/** A request with every required part, and those optional ones for which the contract has an example. */
export function composeSample(operation: TriedOperation): { parts: RequestParts; obstacle?: string } {
  if (operation.isWebSocket) {
    return { parts: EMPTY_PARTS, obstacle: IS_WEBSOCKET };
  }
  if (operation.isOfMcpServer) {
    return { parts: EMPTY_PARTS, obstacle: IS_OF_MCP_SERVER };
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
    callers: easiestCallersOf(operation),
    expectation: { kind: 'refusal', failure: 'invalid_request', place },
  };
}

function planWell(operation: TriedOperation): Draft {
  return { name: 'well', callers: callersOf(operation), expectation: SUCCESS };
}

function planHead(operation: TriedOperation): Draft[] {
  // Whoever is refused shows it as well.
  const callers = [...callersOf(operation), 'nobody'] as const;
  return operation.servesHead ? [{ name: 'as HEAD', callers, expectation: { kind: 'sameAsGet' } }] : [];
}

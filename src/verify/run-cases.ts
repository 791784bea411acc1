import type { Answer } from './answer.ts';
import type { Caller, Case } from './case.ts';
import { judge, judgeForm } from './judge.ts';
import { readChallenge } from './judge-challenge.ts';
import { judgeHead } from './judge-head.ts';
import { isOwnRefusal, readProblem } from './judge-problem.ts';
import { conclude, skip, type Finding, type Subject } from './outcome.ts';
import { IS_WEBSOCKET, isAboutCaller } from './plan.ts';
import { STEP_UP_CASE } from './plan-callers.ts';
import type { GatewayClient } from './send.ts';
import { TOKENS, type Tokens } from './tokens.ts';
import type { Trial } from './trial.ts';

/** How cases are run. */
export interface RunOptions {
  readonly client: GatewayClient;
  readonly tokens: Tokens;
  /** Whether to make calls that change data. */
  readonly write: boolean;
  /** Called with every answer to a call of the contract. */
  readonly onAnswer: (planned: Case, answer: Answer) => void;
}

/** Tries a case. */
export function toTrial(planned: Case, options: RunOptions): Trial {
  return { ...named(planned), run: () => runCase(planned, options) };
}

async function runCase(planned: Case, options: RunOptions): Promise<Finding[]> {
  const { tokens, write } = options;
  const callers = planned.callers.filter((caller) => isReady(caller, tokens));
  if (planned.obstacle !== undefined) {
    return [skipCase(planned, planned.obstacle)];
  }
  if (planned.changesData && !write) {
    return [skipCase(planned, 'it changes data; --write allows it')];
  }
  if (callers.length === 0) {
    return [skipCase(planned, `no ${planned.callers.map(variableOf).join(' or ')}`)];
  }
  return planned.expectation.kind === 'sameAsGet'
    ? [await compareHead(planned, tokenOf(callers[0], tokens), options)]
    : callInTurn(planned, callers, options);
}

/** A caller of whom more proof is asked makes way for the next one, who may have it. */
async function callInTurn(
  planned: Case,
  [caller, ...others]: readonly Caller[],
  options: RunOptions,
): Promise<Finding[]> {
  const token = tokenOf(caller, options.tokens);
  const answer = await options.client.send(planned.operation, planned.parts, token);
  options.onAnswer(planned, answer);
  if (planned.name === STEP_UP_CASE && readProblem(answer)?.['code'] === 'step_up_unsatisfiable') {
    return [skipCase(planned, 'the same user was challenged with other tokens before; try again in ten minutes')];
  }
  if (
    isForWebSockets(answer) &&
    !isAboutCaller(planned.expectation) &&
    judgeForm(answer, planned, token).length === 0
  ) {
    return [skipCase(planned, IS_WEBSOCKET)];
  }
  if (knowsNoSample(planned, answer, token)) {
    return [
      skipCase(planned, `the API answers ${answer.status} to a made-up request; give the contract better examples`),
    ];
  }
  if (!asksForProof(answer) || !planned.callers.includes('steppedUp') || caller === 'steppedUp') {
    return [concludeCase(planned, answer, judge(answer, planned, token))];
  }
  const faults = judgeForm(answer, planned, token);
  const reading = readChallenge(answer);
  const isContext = 'challenge' in reading && reading.challenge.asksForContext;
  const stepUp = isContext ? [concludeCase({ ...planned, name: STEP_UP_CASE }, answer, faults)] : [];
  if (others.length > 0) {
    return [...stepUp, ...(await callInTurn(planned, others, options))];
  }
  return faults.length > 0 && !isContext
    ? [concludeCase(planned, answer, faults)]
    : [...stepUp, skipCase(planned, `more proof is asked for; no ${TOKENS.steppedUp.variable}`)];
}

/** What an API answers that knows GET only, and what the gateway does when an API has no answer to HEAD. */
const KNOWS_NO_HEAD: Readonly<Record<'api' | 'gateway', readonly number[]>> = { api: [405, 501], gateway: [502, 504] };

async function compareHead(planned: Case, token: string | undefined, { client }: RunOptions): Promise<Finding> {
  const { operation, parts } = planned;
  const before = await client.send(operation, parts, token);
  const head = await client.sendHead(operation, parts, token);
  const after = await client.send(operation, parts, token);
  if (isForWebSockets(before)) {
    return skipCase(planned, IS_WEBSOCKET);
  }
  if (before.status !== after.status) {
    return skipCase(planned, `GET is answered ${before.status}, and then ${after.status}`);
  }
  const isApiAlone = KNOWS_NO_HEAD[isOwnRefusal(head) ? 'gateway' : 'api'].includes(head.status);
  if (before.status < 400 && isApiAlone) {
    return skipCase(planned, `the API behind the gateway does not answer HEAD (${head.status})`);
  }
  return concludeCase(planned, head, judgeHead(head, before, after));
}

const UPGRADE_REQUIRED = 426;

/** A published contract need not say that an operation is a WebSocket; the answer does (RFC 9110 §15.5.22). */
function isForWebSockets(answer: Answer): boolean {
  return (
    answer.status === UPGRADE_REQUIRED && answer.headers.get('upgrade')?.[0] === 'websocket' && isOwnRefusal(answer)
  );
}

/** An API behind the gateway may refuse what only looks good; when it does so as declared, nothing is shown. */
function knowsNoSample(planned: Case, answer: Answer, token: string | undefined): boolean {
  const isRefused = answer.status >= 400 && answer.status < 500 && !isOwnRefusal(answer);
  return isRefused && planned.expectation.kind === 'success' && judgeForm(answer, planned, token).length === 0;
}

const PROOF_WANTED: readonly unknown[] = ['insufficient_claims', 'interaction_required', 'step_up_unsatisfiable'];

function asksForProof(answer: Answer): boolean {
  if (answer.method !== 'HEAD') {
    return PROOF_WANTED.includes(readProblem(answer)?.['code']);
  }
  const reading = readChallenge(answer);
  return 'challenge' in reading && PROOF_WANTED.includes(reading.challenge.error);
}

function isReady(caller: Caller, tokens: Tokens): boolean {
  return caller === 'nobody' || tokenOf(caller, tokens) !== undefined;
}

/** Looks like a token and is none. */
const STRANGERS_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzdHJhbmdlciJ9.c2lnbmF0dXJl';

function tokenOf(caller: Caller | undefined, tokens: Tokens): string | undefined {
  if (caller === undefined || caller === 'nobody') {
    return undefined;
  }
  return caller === 'stranger' ? STRANGERS_TOKEN : tokens[caller];
}

function variableOf(caller: Caller): string {
  return caller === 'nobody' || caller === 'stranger' ? caller : TOKENS[caller].variable;
}

function concludeCase(planned: Case, { status }: Answer, faults: readonly string[]): Finding {
  return conclude(named(planned), status, faults);
}

function skipCase(planned: Case, why: string): Finding {
  return skip(named(planned), why);
}

function named({ operation, name }: Case): Subject {
  return { subject: operation.name, case: name };
}

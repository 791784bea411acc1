import { judge, judgeForm } from './judge.ts';
import { readChallenge } from './judge-challenge.ts';
import { isOwnRefusal, readProblem } from './judge-problem.ts';
import { IS_WEBSOCKET, isAboutCaller, STEP_UP_CASE, type Caller, type Case } from './plan.ts';
import { nameError, type Answer, type GatewayClient } from './send.ts';
import { TOKENS, type Tokens } from './tokens.ts';

/** What became of a case. */
export interface Outcome {
  /** The name of the operation. */
  readonly operation: string;
  readonly case: string;
  readonly verdict: 'pass' | 'FAIL' | 'skip';
  /** Why it failed or was skipped; what it met on the way otherwise. */
  readonly why: string | undefined;
  /** The status of the answer that was judged, if there was one. */
  readonly status: number | undefined;
}

/** How cases are run. */
export interface RunOptions {
  readonly client: GatewayClient;
  readonly tokens: Tokens;
  /** Whether to make calls that change data. */
  readonly write: boolean;
  /** Called with each outcome as soon as it is known. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** Runs the cases one after the other. */
export async function runCases(cases: readonly Case[], options: RunOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const planned of cases) {
    // One at a time: later cases may need what earlier ones created, and a verification must not load the gateway.
    for (const outcome of await runCase(planned, options)) {
      if (!outcomes.some((known) => known.operation === outcome.operation && known.case === outcome.case)) {
        outcomes.push(outcome);
        options.onOutcome?.(outcome);
      }
    }
  }
  return outcomes;
}

async function runCase(planned: Case, options: RunOptions): Promise<Outcome[]> {
  const { tokens, write } = options;
  const callers = planned.callers.filter((caller) => isReady(caller, tokens));
  if (planned.obstacle !== undefined) {
    return [skip(planned, planned.obstacle)];
  }
  if (planned.changesData && !write) {
    return [skip(planned, 'it changes data; --write allows it')];
  }
  if (callers.length === 0) {
    return [skip(planned, `no ${planned.callers.map(variableOf).join(' or ')}`)];
  }
  try {
    return await callInTurn(planned, callers, options);
  } catch (error) {
    return [
      { ...named(planned), verdict: 'FAIL', why: `expected an answer, got ${nameError(error)}`, status: undefined },
    ];
  }
}

/** A caller of whom more proof is asked makes way for the next one, who may have it. */
async function callInTurn(
  planned: Case,
  [caller, ...others]: readonly Caller[],
  options: RunOptions,
): Promise<Outcome[]> {
  const token = tokenOf(caller, options.tokens);
  const answer = await options.client.send(planned.operation, planned.parts, token);
  if (planned.name === STEP_UP_CASE && readProblem(answer)?.['code'] === 'step_up_unsatisfiable') {
    return [skip(planned, 'the same user was challenged with other tokens before; try again in ten minutes')];
  }
  if (
    isForWebSockets(answer) &&
    !isAboutCaller(planned.expectation) &&
    judgeForm(answer, planned, token).length === 0
  ) {
    return [skip(planned, IS_WEBSOCKET)];
  }
  if (knowsNoSample(planned, answer, token)) {
    return [skip(planned, `the API answers ${answer.status} to a made-up request; give the contract better examples`)];
  }
  if (!asksForProof(answer) || !planned.callers.includes('steppedUp') || caller === 'steppedUp') {
    return [conclude(planned, answer, judge(answer, planned, token))];
  }
  const faults = judgeForm(answer, planned, token);
  const reading = readChallenge(answer);
  const isContext = 'challenge' in reading && reading.challenge.asksForContext;
  const stepUp = isContext ? [conclude({ ...planned, name: STEP_UP_CASE }, answer, faults)] : [];
  if (others.length > 0) {
    return [...stepUp, ...(await callInTurn(planned, others, options))];
  }
  return faults.length > 0 && !isContext
    ? [conclude(planned, answer, faults)]
    : [...stepUp, skip(planned, `more proof is asked for; no ${TOKENS.steppedUp.variable}`)];
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

function conclude(planned: Case, { status }: Answer, faults: readonly string[]): Outcome {
  return faults.length === 0
    ? { ...named(planned), verdict: 'pass', why: undefined, status }
    : { ...named(planned), verdict: 'FAIL', why: faults.join('; '), status };
}

function skip(planned: Case, why: string): Outcome {
  return { ...named(planned), verdict: 'skip', why, status: undefined };
}

function named({ operation, name }: Case): Pick<Outcome, 'operation' | 'case'> {
  return { operation: operation.name, case: name };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { preferClaims } from './challenge/prefer-claims.ts';
import type { DownstreamDemand } from './challenge/downstream-claims.ts';
import type { Operation } from './contract/contract.ts';
import type { RouteMatch } from './contract/route-table.ts';
import type { DownstreamToken } from './downstream-tokens.ts';
import { GatewayError } from './failures.ts';
import type { DownstreamAnswer } from './forward/downstream-answer.ts';
import type { RequestTarget } from './receive.ts';
import type { OutgoingBody } from './request-body.ts';
import type { Session } from './session.ts';
import type { RequestRecord } from './telemetry/request-record.ts';

/** One request on its way. */
export interface Request {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  /** What the log and the metrics will say of it. */
  readonly record: RequestRecord;
}

/** What the steps before it found out about a call to a downstream. */
export interface Call {
  readonly route: RouteMatch<Operation>;
  readonly body: OutgoingBody;
}

/**
 * Something that is here now or later. A step that has nothing to wait for does not wait: an `await` of what is here
 * costs a turn of the queue all the same, and of those a warm request would take five.
 */
type Soon<T> = T | Promise<T>;

/** The steps, each in its own module and knowing no other; `steps.ts` binds them to one gateway. */
export interface Steps {
  /** Finds the operation of the contract. */
  match(request: Request): RouteMatch<Operation>;
  /** Finds out who is calling; nobody, for an anonymous operation. */
  authenticate(request: Request, operation: Operation): Soon<Session | undefined>;
  /** Decides whether the caller may. */
  authorize(session: Session | undefined, operation: Operation): void;
  /** Checks the request against the contract. */
  validate(request: Request, route: RouteMatch<Operation>): Soon<OutgoingBody>;
  /** Finds the caller's token for the downstream; one that Entra makes anew has the claims, if there are any. */
  exchange(
    request: Request,
    session: Session | undefined,
    operation: Operation,
    claims?: string,
  ): Soon<DownstreamToken | undefined>;
  /** Sends the request on and waits for the head of the answer. */
  forward(request: Request, call: Call, token: DownstreamToken | undefined): Promise<DownstreamAnswer>;
  /** Reads what a downstream that refused the token wants, and drops the token. */
  readDemand(request: Request, call: Call, refusal: Refusal): DownstreamDemand;
  /** Spares Entra and the downstream the same question for a while: the caller has to come back with another token. */
  rememberChallenge(session: Session, operation: Operation, challenge: GatewayError): void;
  /** Prepares for a caller that has to send a large body again, with another token. */
  expectClaims(session: Session, operation: Operation, claims: string): void;
  /** Passes the answer back. */
  answer(request: Request, call: Call, answer: DownstreamAnswer): Soon<void>;
}

/**
 * The way of a call of the contract, once it is received (`receive.ts`). A refusal is thrown as a {@link GatewayError} and turned into HTTP in one place,
 * `answer-failure.ts`.
 */
export async function travel(request: Request, steps: Steps): Promise<void> {
  const route = steps.match(request);
  const operation = route.entry;
  const caller = steps.authenticate(request, operation);
  const session = caller instanceof Promise ? await caller : caller;
  steps.authorize(session, operation);
  const checked = steps.validate(request, route);
  const body = checked instanceof Promise ? await checked : checked;
  const found = steps.exchange(request, session, operation);
  const token = found instanceof Promise ? await found : found;
  const call = { route, body };
  const answer = await steps.forward(request, call, token);
  const accepted =
    session !== undefined && token !== undefined && answer.status === 401
      ? await translate(request, call, { session, token, answer }, steps)
      : answer;
  return steps.answer(request, call, accepted);
}

/** A downstream's 401 to a token that Entra gave us for it. */
export interface Refusal {
  readonly session: Session;
  readonly token: DownstreamToken;
  readonly answer: DownstreamAnswer;
}

/** What becomes of a request whose token the downstream refused. */
function translate(request: Request, call: Call, refusal: Refusal, steps: Steps): Promise<DownstreamAnswer> {
  return refusal.session.principal.kind === 'app'
    ? translateForApp(request, call, refusal, steps)
    : translateForUser(request, call, refusal, steps);
}

/**
 * A downstream that refuses our token either wants claims of the user, or it is between the downstream and us. For
 * claims, Entra is asked once for a token that has them and the request is sent once more; when that does not help,
 * the claims become the caller's challenge.
 */
async function translateForUser(
  request: Request,
  call: Call,
  refusal: Refusal,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const { session } = refusal;
  const operation = call.route.entry;
  const claims = requireClaims(steps.readDemand(request, call, refusal));
  let newToken: DownstreamToken | undefined;
  try {
    newToken = await steps.exchange(request, session, operation, claims);
  } catch (error) {
    throw rememberChallenge(preferClaims(error, claims));
  }
  if (newToken === undefined || !call.body.isReplayable) {
    steps.expectClaims(session, operation, claims);
    throw new GatewayError('insufficient_claims', { claims });
  }
  const second = await steps.forward(request, call, newToken);
  if (second.status !== 401) {
    return second;
  }
  const demand = steps.readDemand(request, call, { session, token: newToken, answer: second });
  const asked = demand.kind === 'claims' ? demand.claims : claims;
  throw rememberChallenge(new GatewayError('insufficient_claims', { claims: asked }));

  function rememberChallenge(failure: unknown): unknown {
    if (failure instanceof GatewayError && failure.failure === 'insufficient_claims') {
      steps.rememberChallenge(session, operation, failure);
    }
    return failure;
  }
}

/**
 * Nobody can step up for the gateway's own token, which may have been revoked: a new one is fetched, with the claims if
 * there are any, and the request is sent once more.
 */
async function translateForApp(
  request: Request,
  call: Call,
  refusal: Refusal,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const { session, token } = refusal;
  const demand = steps.readDemand(request, call, refusal);
  const claims = demand.kind === 'claims' ? demand.claims : undefined;
  const newToken = await steps.exchange(request, session, call.route.entry, claims);
  if (newToken === undefined || newToken === token || !call.body.isReplayable) {
    throw rejectedToken();
  }
  const second = await steps.forward(request, call, newToken);
  if (second.status !== 401) {
    return second;
  }
  // This one is kept for the next request, which would otherwise cost two exchanges.
  second.discard();
  throw rejectedToken();
}

function requireClaims(demand: DownstreamDemand): string {
  switch (demand.kind) {
    case 'claims':
      return demand.claims;
    case 'unreadable':
      throw new GatewayError('interaction_required');
    case 'none':
      throw rejectedToken();
  }
}

function rejectedToken(): GatewayError {
  return new GatewayError('downstream_rejected_token', {
    log: { remedy: 'Compare the scopes of this downstream in gateway.yaml with the audience that it expects.' },
  });
}

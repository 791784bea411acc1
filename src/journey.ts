import type { IncomingMessage, ServerResponse } from 'node:http';
import { preferClaims } from './challenge/prefer-claims.ts';
import type { DownstreamDemand } from './challenge/downstream-claims.ts';
import type { Operation } from './contract/operations/operation.ts';
import type { RouteMatch } from './contract/routes/route-table.ts';
import type { DownstreamToken, FetchedToken } from './session/downstream-token.ts';
import { GatewayError } from './failures.ts';
import type { DownstreamAnswer } from './forward/downstream-answer.ts';
import type { RequestTarget } from './request/receive.ts';
import type { OutgoingBody } from './request/body.ts';
import type { Session } from './session/session.ts';
import type { RequestRecord } from './telemetry/request-record.ts';

/** One request on its way. */
export interface InboundRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  /** The caller's own `x-request-id` where it is short and clean, otherwise a new one. */
  readonly requestId: string;
  /** What the log and the metrics will say of the request. Steps write to it; none reads it. */
  readonly record: RequestRecord;
}

/** What the steps before it found out about a call to a downstream. */
export interface Call {
  readonly route: RouteMatch<Operation>;
  readonly body: OutgoingBody;
  /** Where the call is traced: the headers of its span, names and values in turn, in the place of the caller's. */
  readonly traceContext?: readonly string[];
}

/**
 * A value, or the promise of one. A step that has nothing to wait for returns the value itself, and its caller awaits
 * only promises: an `await` costs a turn of the queue even for a value, and a warm request would take five such turns.
 */
type MaybePromise<T> = T | Promise<T>;

/**
 * The steps of a call. No step knows another: each is a function of one room, or two or three that `steps.ts` puts
 * together while it binds the steps to one gateway.
 */
export interface Steps {
  /** Finds the operation of the contract. */
  match(request: InboundRequest): RouteMatch<Operation>;
  /** Finds out who is calling; `undefined` for an anonymous operation, and for a caller that needs no token and sends none. */
  authenticate(request: InboundRequest, operation: Operation): MaybePromise<Session | undefined>;
  /**
   * Refuses a caller that may not call the operation, and returns as whom the others call: as nobody where a token is
   * optional and the caller's meets no requirement.
   */
  authorize(session: Session | undefined, operation: Operation): Session | undefined;
  /** Checks the request against the contract: its parameters and its body. */
  readonly validate: (request: InboundRequest, route: RouteMatch<Operation>) => MaybePromise<OutgoingBody>;
  /** Checks the parameters of the request against the contract, and leaves its body alone. */
  readonly validateParameters: (request: InboundRequest, route: RouteMatch<Operation>) => void;
  /** Finds the caller's token for the downstream; one that Entra issues anew has the claims of `again`, if any. */
  exchange(
    request: InboundRequest,
    session: Session | undefined,
    operation: Operation,
    again?: SecondExchange,
  ): DownstreamToken | Promise<FetchedToken> | undefined;
  /** Sends the request on and waits for the head of the answer. */
  forward(request: InboundRequest, call: Call, token: DownstreamToken | undefined): Promise<DownstreamAnswer>;
  /** Reads what a downstream that rejected the token asks for, and forgets the token. */
  readDemand(request: InboundRequest, call: Call, rejection: DownstreamRejection): DownstreamDemand;
  /** Remembers the challenge: for a while this token gets it again, and neither Entra nor the downstream is asked. */
  rememberChallenge(session: Session, operation: Operation, challenge: GatewayError): void;
  /** Remembers the claims for a caller that has to send its large body again; its next token is exchanged with them. */
  expectClaims(session: Session, operation: Operation, claims: string): void;
  /** Passes the answer back. */
  answer(request: InboundRequest, call: Call, answer: DownstreamAnswer): MaybePromise<void>;
  /**
   * Completes a failure of any step before it goes out: adds the scopes that the operation asks for, and replaces a
   * challenge that leads nowhere.
   */
  adaptFailure(error: unknown, session: Session | undefined, operation: Operation): unknown;
  /** Ends the count of the caller's repeated challenges, because the downstream accepted its token. */
  noteSuccess(session: Session, operation: Operation): void;
}

/** What is different when a token is fetched once more for the same request. */
export interface SecondExchange {
  /** The claims request of the downstream, as JSON text, if it asked for claims. */
  readonly claims: string | undefined;
  /** The `client-request-id` of the first exchange, if there was one. */
  readonly correlationId: string | undefined;
}

/** A call that its caller may make, with all that is needed to make it. */
export interface AuthorizedCall<Checked> {
  readonly route: RouteMatch<Operation>;
  /** The caller; absent for an anonymous operation. */
  readonly session: Session | undefined;
  /** The result of the step that checked the request. */
  readonly checked: Checked;
  /** The caller's token for the downstream; absent where there is no caller. */
  readonly token: DownstreamToken | undefined;
  /** The `client-request-id` of the exchange, where the token comes from one of this request. */
  readonly correlationId: string | undefined;
}

/** Takes a call of the contract through the gateway, once it is received (`request/receive.ts`): the steps in order. */
export async function handleRequest(request: InboundRequest, steps: Steps): Promise<void> {
  const { route, session, checked, token, correlationId } = await authorizeCall(request, steps, steps.validate);
  const call = { route, body: checked };
  try {
    const answer = await steps.forward(request, call, token);
    const accepted =
      session !== undefined && token !== undefined && answer.status === 401
        ? await translate(request, call, { session, token, answer, correlationId }, steps)
        : answer;
    if (session !== undefined) {
      steps.noteSuccess(session, route.entry);
    }
    await steps.answer(request, call, accepted);
  } catch (error) {
    throw steps.adaptFailure(error, session, route.entry);
  }
}

/**
 * Runs the steps up to the caller's token for the downstream. Every door to the contract calls this, so that all refuse
 * in the same words: {@link handleRequest} forwards the call itself; a door whose request only describes a call passes
 * `steps.validateParameters`, which leaves the body alone.
 *
 * @param validate the step that checks the request against the contract
 * @throws {GatewayError} every refusal; it is turned into HTTP in one place, `answer-failure.ts`
 */
export async function authorizeCall<Checked>(
  request: InboundRequest,
  steps: Steps,
  validate: (request: InboundRequest, route: RouteMatch<Operation>) => MaybePromise<Checked>,
): Promise<AuthorizedCall<Checked>> {
  const route = steps.match(request);
  const operation = route.entry;
  let session: Session | undefined;
  try {
    const caller = steps.authenticate(request, operation);
    session = caller instanceof Promise ? await caller : caller;
    session = steps.authorize(session, operation);
    const checking = validate(request, route);
    const checked = checking instanceof Promise ? await checking : checking;
    const found = steps.exchange(request, session, operation);
    if (found instanceof Promise) {
      const { token, correlationId } = await found;
      return { route, session, checked, token, correlationId };
    }
    return { route, session, checked, token: found, correlationId: undefined };
  } catch (error) {
    throw steps.adaptFailure(error, session, operation);
  }
}

/** A downstream's 401 to a token that Entra gave us for it. */
export interface DownstreamRejection {
  readonly session: Session;
  readonly token: DownstreamToken;
  readonly answer: DownstreamAnswer;
  /** The `client-request-id` of the exchange that gave the token, if it was made for this request. */
  readonly correlationId: string | undefined;
}

/** Answers the downstream's 401: with the answer to a second send, or with a failure that the caller can act on. */
function translate(
  request: InboundRequest,
  call: Call,
  rejection: DownstreamRejection,
  steps: Steps,
): Promise<DownstreamAnswer> {
  return rejection.session.principal.kind === 'app'
    ? translateForApp(request, call, rejection, steps)
    : translateForUser(request, call, rejection, steps);
}

/**
 * A downstream rejects our token either because it wants claims of the user, or because its settings and ours do not
 * fit. For claims, Entra is asked once for a token that has them and the request is sent once more; when that does not
 * help, the claims become the caller's challenge.
 */
async function translateForUser(
  request: InboundRequest,
  call: Call,
  rejection: DownstreamRejection,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const { session, correlationId } = rejection;
  const operation = call.route.entry;
  const claims = requireClaims(steps.readDemand(request, call, rejection));
  let newToken: DownstreamToken | undefined;
  try {
    newToken = await exchangeAgain(request, session, operation, { claims, correlationId }, steps);
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
  const demand = steps.readDemand(request, call, { ...rejection, token: newToken, answer: second });
  const asked = demand.kind === 'claims' ? demand.claims : claims;
  throw rememberChallenge(new GatewayError('insufficient_claims', { claims: asked }));

  function rememberChallenge(failure: unknown): unknown {
    if (failure instanceof GatewayError && failure.code === 'insufficient_claims') {
      steps.rememberChallenge(session, operation, failure);
    }
    return failure;
  }
}

/**
 * The gateway's own token may have been revoked, and no user can step up for it: a new one is fetched, with the claims
 * if there are any, and the request is sent once more.
 */
async function translateForApp(
  request: InboundRequest,
  call: Call,
  rejection: DownstreamRejection,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const { session, token, correlationId } = rejection;
  const demand = steps.readDemand(request, call, rejection);
  const claims = demand.kind === 'claims' ? demand.claims : undefined;
  const newToken = await exchangeAgain(request, session, call.route.entry, { claims, correlationId }, steps);
  if (newToken === undefined || newToken === token || !call.body.isReplayable) {
    throw rejectedToken();
  }
  const second = await steps.forward(request, call, newToken);
  if (second.status !== 401) {
    return second;
  }
  // The new token is kept for the next request, which would otherwise cost two exchanges.
  second.discard();
  throw rejectedToken();
}

async function exchangeAgain(
  request: InboundRequest,
  session: Session,
  operation: Operation,
  again: SecondExchange,
  steps: Steps,
): Promise<DownstreamToken | undefined> {
  const found = steps.exchange(request, session, operation, again);
  return found instanceof Promise ? (await found).token : found;
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

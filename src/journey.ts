import { preferClaims } from './challenge/prefer-claims.ts';
import type { DownstreamDemand } from './challenge/downstream-claims.ts';
import type { Operation } from './contract/operations/operation.ts';
import type { RouteMatch } from './contract/routes/route-table.ts';
import type { DownstreamToken, FetchedToken } from './session/downstream-token.ts';
import { GatewayError } from './failures.ts';
import type { DownstreamAnswer } from './forward/downstream-answer.ts';
import type { CallOwner } from './forward/forward.ts';
import type { InboundRequest } from './inbound-request.ts';
import type { OutgoingBody } from './request/body.ts';
import type { HeldToken } from './session/held-token.ts';
import type { Session } from './session/session.ts';

/** What the steps before it found out about a call to a downstream. */
export interface Call {
  readonly route: RouteMatch<Operation>;
  readonly body: OutgoingBody;
  /** A call that an application makes itself, in the place of its caller's; absent where that goes on. */
  readonly own?: OwnCall;
  /** Where the call is traced: the headers of its span, names and values in turn, in the place of the caller's. */
  readonly traceContext?: readonly string[];
}

/** What an application asks of a downstream. */
export interface OwnCall {
  readonly method: string;
  /** The path below the base address of the downstream. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
  /** Names and values in turn, before the rules for outgoing headers. */
  readonly headers: readonly string[];
  /** What the call is made for: when that ends, it is cancelled. */
  readonly owner: CallOwner;
}

/**
 * A value, or the promise of one. A step that has nothing to wait for returns the value itself, and its caller awaits
 * only promises: an `await` costs a turn of the queue even for a value, and a warm request would take six such turns.
 */
type MaybePromise<T> = T | Promise<T>;

/**
 * The steps of a call. No step knows another: each is a function of one room, or two or three that `steps.ts` puts
 * together while it binds the steps to one gateway.
 */
export interface Steps {
  /** Finds the operation of the contract. */
  match(request: InboundRequest): RouteMatch<Operation>;
  /** Refuses a page of a foreign origin where the protocol of the operation demands it. */
  checkOrigin(request: InboundRequest, operation: Operation): void;
  /** Finds out who is calling; `undefined` for an anonymous operation, and for a caller that needs no token and sends none. */
  authenticate(request: InboundRequest, operation: Operation): MaybePromise<Session | undefined>;
  /**
   * Refuses a caller that may not call the operation, and returns as whom the others call: as nobody where a token is
   * optional and the caller's meets no requirement.
   */
  authorize(session: Session | undefined, operation: Operation): Session | undefined;
  /** Checks the request against the contract: its parameters and its body; of an MCP server it finds the tool. */
  readonly validate: (request: InboundRequest, route: RouteMatch<Operation>) => MaybePromise<OutgoingBody & Checked>;
  /** Checks the parameters of the request against the contract, and leaves its body alone. */
  readonly validateParameters: (request: InboundRequest, route: RouteMatch<Operation>) => void;
  /** Finds the caller's token for the downstream; one that Entra issues anew has the claims of `again`, if any. */
  readonly exchange: (
    request: InboundRequest,
    session: Session | undefined,
    operation: Operation,
    again?: SecondExchange,
  ) => DownstreamToken | Promise<FetchedToken> | undefined;
  /** Sends the request on and waits for the head of the answer. */
  forward(request: InboundRequest, call: Call, token: DownstreamToken | undefined): Promise<DownstreamAnswer>;
  /** Reads the challenges of a downstream's 401, one for each line. */
  readChallenges(answer: DownstreamAnswer): readonly string[];
  /** The caller's token for the downstream that is in memory, with its claims; `undefined` for none. */
  recallToken(session: Session, operation: Operation): HeldToken | undefined;
  /** Reads what a downstream that rejected the token asks for, and forgets the token. */
  readDemand(request: InboundRequest, operation: Operation, rejection: DownstreamRejection): DownstreamDemand;
  /**
   * Remembers the challenge: for a while this token gets it again, and neither Entra nor the downstream is asked. Messages
   * to an MCP server share an operation, so of these only calls of a tool with rules of its own are remembered.
   */
  rememberChallenge(session: Session, operation: Operation, challenge: GatewayError): void;
  /** Remembers the claims for a caller that has to send its large body again; its next token is exchanged with them. */
  expectClaims(session: Session, operation: Operation, claims: string): void;
  /** True when these challenges of a downstream ask for claims, and an agent identity calls it for callers that are apps. */
  asksAgentForProof(operation: Operation, challenges: readonly string[]): boolean;
  /** Passes the answer back. */
  answer(request: InboundRequest, call: Call, answer: DownstreamAnswer): MaybePromise<void>;
  /**
   * Completes a failure of any step before it goes out: adds the scopes that the operation asks for, and replaces a
   * challenge that leads nowhere.
   */
  adaptFailure(error: unknown, session: Session | undefined, operation: Operation): unknown;
  /**
   * Ends the count of the caller's repeated challenges, because the downstream accepted its token. As for
   * {@link rememberChallenge}, messages to an MCP server count only where they call a tool with rules of its own.
   */
  noteSuccess(session: Session, operation: Operation): void;
}

/** What the check of a request can find besides faults. */
export interface Checked {
  /** The operation that the request is by its body: one of the tools of an MCP server that have rules of their own. */
  readonly tool?: Operation;
}

/** Gives the steps of a gateway, with other ones in the place of some. */
export type BindSteps = (others: Partial<Steps>) => Steps;

/** What is different when a token is fetched once more for the same request. */
export interface SecondExchange {
  /** The claims request of the downstream, as JSON text, if it asked for claims. */
  readonly claims: string | undefined;
  /** The `client-request-id` of the first exchange, if there was one. */
  readonly correlationId: string | undefined;
}

/** A call that its caller may make, with all that is needed to make it. */
export interface AuthorizedCall<Result> {
  readonly route: RouteMatch<Operation>;
  /** The caller; absent for an anonymous operation. */
  readonly session: Session | undefined;
  /** The result of the step that checked the request. */
  readonly checked: Result;
  /** The caller's token for the downstream; absent where there is no caller. */
  readonly token: DownstreamToken | undefined;
  /** The `client-request-id` of the exchange, where the token comes from one of this request. */
  readonly correlationId: string | undefined;
}

/** A step that finds the caller's token for the downstream; `undefined` where there is no caller. */
export type FindToken = (
  request: InboundRequest,
  session: Session | undefined,
  operation: Operation,
) => DownstreamToken | Promise<FetchedToken> | undefined;

/** Takes a call of the contract through the gateway, once it is received (`request/receive.ts`): the steps in order. */
export async function handleRequest(request: InboundRequest, steps: Steps): Promise<void> {
  const authorized = await authorizeCall(request, steps, steps.validate);
  const { route, session, checked, token } = authorized;
  const call = { route, body: checked };
  try {
    const first = await steps.forward(request, call, token);
    const accepting = acceptAnswer(request, call, first, authorized, steps);
    const answer = accepting instanceof Promise ? await accepting : accepting;
    const answering = steps.answer(request, call, answer);
    if (answering instanceof Promise) {
      await answering;
    }
  } catch (error) {
    throw steps.adaptFailure(error, session, route.entry);
  }
}

/** Takes a call that an application makes itself for its caller through the same steps, up to the downstream's answer. */
export async function handleOwnCall(
  request: InboundRequest,
  { own, body }: Required<Pick<Call, 'own' | 'body'>>,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const authorized = await authorizeCall(request, steps, () => undefined);
  const { route, session, token } = authorized;
  const call = { route, body, own };
  try {
    return await acceptAnswer(request, call, await steps.forward(request, call, token), authorized, steps);
  } catch (error) {
    throw steps.adaptFailure(error, session, route.entry);
  }
}

/** Takes the downstream's answer, or has the call made once more where the downstream wants another token. */
function acceptAnswer(
  request: InboundRequest,
  call: Call,
  answer: DownstreamAnswer,
  { session, token, correlationId }: AuthorizedCall<unknown>,
  steps: Steps,
): MaybePromise<DownstreamAnswer> {
  if (session === undefined) {
    return answer;
  }
  if (token !== undefined && answer.status === 401) {
    return translate(request, call, answer, { session, token, correlationId }, steps);
  }
  steps.noteSuccess(session, call.route.entry);
  return answer;
}

/**
 * Runs the steps up to the caller's token for the downstream. Every door to the contract calls this, so that all refuse
 * in the same words: {@link handleRequest} forwards the call itself, {@link handleOwnCall} makes one of the application's
 * own; a door whose request only describes a call passes `steps.validateParameters`, which leaves the body alone.
 *
 * @param validate the step that checks the request against the contract
 * @param exchange the step that finds the token; another one than that of the steps where the call was made before, and
 *   the downstream rejected its token
 * @throws {GatewayError} every refusal; it is turned into HTTP in one place, `answer-failure.ts`
 */
export async function authorizeCall<Result extends Checked | void>(
  request: InboundRequest,
  steps: Steps,
  validate: (request: InboundRequest, route: RouteMatch<Operation>) => MaybePromise<Result>,
  exchange: FindToken = steps.exchange,
): Promise<AuthorizedCall<Result>> {
  let route = steps.match(request);
  let session: Session | undefined;
  try {
    steps.checkOrigin(request, route.entry);
    const authenticating = steps.authenticate(request, route.entry);
    const caller = authenticating instanceof Promise ? await authenticating : authenticating;
    session = caller;
    session = steps.authorize(caller, route.entry);
    const checking = validate(request, route);
    const checked = checking instanceof Promise ? await checking : checking;
    if (checked?.tool !== undefined) {
      route = { ...route, entry: checked.tool };
      // Who is nobody for the server may be somebody for the tool, and a refusal is then about that caller.
      session = caller;
      session = steps.authorize(caller, route.entry);
    }
    const found = exchange(request, session, route.entry);
    if (found instanceof Promise) {
      const { token, correlationId } = await found;
      return { route, session, checked, token, correlationId };
    }
    return { route, session, checked, token: found, correlationId: undefined };
  } catch (error) {
    throw steps.adaptFailure(error, session, route.entry);
  }
}

/** A downstream's 401 to a token that Entra gave us for it. */
export interface DownstreamRejection {
  readonly session: Session;
  readonly token: DownstreamToken;
  /** The values of `WWW-Authenticate`, one for each line. */
  readonly challenges: readonly string[];
  /** The `client-request-id` of the exchange that gave the token, if it was made for this request. */
  readonly correlationId: string | undefined;
}

/**
 * Answers the downstream's 401: with the answer to a second send, or with a failure that the caller can act on. Of a call
 * of an application's own, a 401 that no other token would change is the answer, because the application reads the answers
 * of its downstreams itself.
 */
async function translate(
  request: InboundRequest,
  call: Call,
  answer: DownstreamAnswer,
  rejected: Omit<DownstreamRejection, 'challenges'>,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const rejection = { ...rejected, challenges: steps.readChallenges(answer) };
  if (call.own === undefined) {
    answer.discard();
    return sendAgain(request, call, rejection, steps);
  }
  try {
    const second = await sendAgain(request, call, rejection, steps);
    answer.discard();
    return second;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'downstream_rejected_token') {
      return answer;
    }
    answer.discard();
    throw error;
  }
}

/**
 * Sends a call once more with another token. For claims, Entra is asked once for a token that has them; when that does not
 * help, the claims become the caller's challenge.
 */
async function sendAgain(
  request: InboundRequest,
  call: Call,
  rejection: DownstreamRejection,
  steps: Steps,
): Promise<DownstreamAnswer> {
  const { session } = rejection;
  const operation = call.route.entry;
  const { token, claims } = await exchangeAfterRejection(request, operation, rejection, steps);
  if (!call.body.isReplayable) {
    throw cannotSendAgain(session, operation, claims, steps);
  }
  const second = await steps.forward(request, call, token);
  if (second.status !== 401) {
    steps.noteSuccess(session, operation);
    return second;
  }
  const challenges = steps.readChallenges(second);
  second.discard();
  throw refuseSecondRejection(request, operation, { ...rejection, token, challenges }, steps, claims);
}

/** A token that was fetched after a downstream had rejected the one before it. */
export interface RenewedToken {
  readonly token: DownstreamToken;
  /** The claims request that the downstream asked for, as JSON text, and that the token meets; `undefined` for none. */
  readonly claims: string | undefined;
  readonly correlationId: string | undefined;
}

/**
 * Fetches another token after a downstream rejected one. It does so either because it wants claims of the user, or
 * because its settings and ours do not fit, which no other token would change. Of an application's tokens it can also be
 * that ours was revoked: no user can step up for it, so a new one is fetched in any case, with the claims if there are any.
 *
 * @throws {GatewayError} `downstream_rejected_token` where another token would not help, `access_denied` where it would
 *   have to bring a proof of an agent, `interaction_required` where the downstream's challenge cannot be read, or Entra's
 *   refusal, which is remembered where it is a claims challenge
 */
export async function exchangeAfterRejection(
  request: InboundRequest,
  operation: Operation,
  rejection: DownstreamRejection,
  steps: Steps,
): Promise<RenewedToken> {
  const { session, token: rejected, correlationId } = rejection;
  const demand = steps.readDemand(request, operation, rejection);
  const isForApp = session.principal.kind === 'app';
  const claims = isForApp ? claimsOf(demand) : requireClaims(demand);
  try {
    const found = steps.exchange(request, session, operation, { claims, correlationId });
    const fetched = found instanceof Promise ? await found : { token: found, correlationId };
    if (isForApp && fetched.token === rejected) {
      throw rejectedForApp(operation, rejection, steps);
    }
    if (fetched.token === undefined) {
      throw rejectedToken();
    }
    return { token: fetched.token, claims, correlationId: fetched.correlationId };
  } catch (error) {
    throw isForApp || claims === undefined
      ? error
      : rememberChallenge(preferClaims(error, claims), session, operation, steps);
  }
}

/**
 * Makes the failure of a call whose second token the downstream rejected as well: the caller has to step up, or nothing
 * helps.
 *
 * @param claims what the downstream asked for the first time, if it asked for any
 */
export function refuseSecondRejection(
  request: InboundRequest,
  operation: Operation,
  rejection: DownstreamRejection,
  steps: Steps,
  claims?: string,
): unknown {
  const { session } = rejection;
  if (session.principal.kind === 'app') {
    // The new token is kept for the next request, which would otherwise cost two exchanges.
    return rejectedForApp(operation, rejection, steps);
  }
  const demand = steps.readDemand(request, operation, rejection);
  const asked = claimsOf(demand) ?? claims;
  if (asked !== undefined) {
    return rememberChallenge(new GatewayError('insufficient_claims', { claims: asked }), session, operation, steps);
  }
  return demand.kind === 'unreadable' ? new GatewayError('interaction_required') : rejectedToken();
}

/** Makes the failure of a call that can be made only once, because its body has gone. */
function cannotSendAgain(
  session: Session,
  operation: Operation,
  claims: string | undefined,
  steps: Steps,
): GatewayError {
  if (claims === undefined || session.principal.kind === 'app') {
    return rejectedToken();
  }
  steps.expectClaims(session, operation, claims);
  return new GatewayError('insufficient_claims', { claims });
}

function rememberChallenge(failure: unknown, session: Session, operation: Operation, steps: Steps): unknown {
  if (failure instanceof GatewayError && failure.code === 'insufficient_claims') {
    steps.rememberChallenge(session, operation, failure);
  }
  return failure;
}

function claimsOf(demand: DownstreamDemand): string | undefined {
  return demand.kind === 'claims' ? demand.claims : undefined;
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

/** Makes the failure of an app's call whose tokens the downstream rejects: no caller can give a proof for an agent. */
function rejectedForApp(operation: Operation, { challenges }: DownstreamRejection, steps: Steps): GatewayError {
  return steps.asksAgentForProof(operation, challenges)
    ? new GatewayError('access_denied', { log: { remedy: AGENT_CHALLENGED_REMEDY } })
    : rejectedToken();
}

const AGENT_CHALLENGED_REMEDY =
  'The downstream asks the agent identity for claims, which nobody can give for an app: look at its Conditional Access policies for agents, and whether the agent identity was disabled.';

/** Makes the failure of a call whose token the downstream rejected though no other one would help. */
export function rejectedToken(): GatewayError {
  return new GatewayError('downstream_rejected_token', {
    log: { remedy: 'Compare the scopes of this downstream in gateway.yaml with the audience that it expects.' },
  });
}

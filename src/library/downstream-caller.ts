import { routeBareOperation } from '../contract/operations/bare-operation.ts';
import type { Operation } from '../contract/operations/operation.ts';
import type { RouteMatch } from '../contract/routes/route-table.ts';
import type { DownstreamAnswer } from '../forward/downstream-answer.ts';
import type { InboundRequest } from '../inbound-request.ts';
import {
  authorizeCall,
  exchangeAfterRejection,
  handleOwnCall,
  type FindToken,
  type OwnCall,
  type Steps,
} from '../journey.ts';
import { GatewayError } from '../failures.ts';
import type { OutgoingBody } from '../request/body.ts';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import type { Session } from '../session/session.ts';
import { RequestRecord } from '../telemetry/request-record.ts';
import type { Admission, ProtectedRequest } from './protected-request.ts';

/** What the calls to a downstream are counted with. */
export interface CallReports {
  /** Counts one call that is over, and the look-up of its token. */
  recordCall(record: RequestRecord): void;
}

/** Operations with a downstream, by the operations that were protected: their names and rules last as long as these. */
const downstreamRoutes = new WeakMap<Operation, Map<string, RouteMatch<Operation>>>();

/** Calls one downstream for the caller of one request, through the steps of every call. */
export class DownstreamCaller {
  readonly request: ProtectedRequest;
  readonly #assertion: string;
  readonly #steps: Steps;
  readonly #reports: CallReports;

  constructor(request: ProtectedRequest, admission: Admission, name: string, reports: CallReports) {
    const { session, operation, assertion, steps } = admission;
    const route = routeTo(operation, name);
    this.request = request;
    this.#assertion = assertion;
    this.#reports = reports;
    // Who calls, and whether he may, was decided when the request came.
    this.#steps = {
      ...steps,
      match: () => route,
      authenticate: () => session,
      authorize: () => session,
      // Another call of the same request may be refused yet, and they count as one.
      noteSuccess: (...noted) => request.noteSuccess(route.entry, () => steps.noteSuccess(...noted)),
    };
  }

  /**
   * Makes a call.
   *
   * @throws {GatewayError} every refusal, and where there is no answer
   * @throws {CallerGone} when the owner of the call closes before there is one
   */
  send(own: OwnCall, body: OutgoingBody): Promise<DownstreamAnswer> {
    return this.#report((request) => handleOwnCall(request, { own, body }, this.#steps));
  }

  /**
   * Gets the caller's token for the downstream.
   *
   * @param claims what the downstream asked for, as JSON text, where it rejected the token before; default nothing
   * @throws {GatewayError} every refusal
   */
  acquire(claims?: string): Promise<DownstreamToken> {
    const steps = this.#steps;
    const find: FindToken =
      claims === undefined
        ? (request, session, operation) => steps.exchange(request, session, operation)
        : (request, session, operation) => session && acquireAnother(request, { session, operation, claims }, steps);
    return this.#report(async (request) => {
      const { session, token, route } = await authorizeCall(request, steps, () => undefined, find);
      if (session === undefined || token === undefined) {
        throw new GatewayError('missing_token');
      }
      if (request.record.tokenFrom === 'session') {
        // Nobody tells how a call ended that is made elsewhere: a token that is asked for again was hardly rejected.
        steps.noteSuccess(session, route.entry);
      }
      return token;
    });
  }

  /** Runs a call with a record of its own, because several can be under way for one request. */
  async #report<T>(call: (request: InboundRequest) => Promise<T>): Promise<T> {
    const { request } = this.request;
    const { requestId, trace } = request.record;
    const record = new RequestRecord(requestId);
    record.trace = trace;
    try {
      return await call({ ...request, assertion: this.#assertion, record });
    } finally {
      this.#reports.recordCall(record);
      const { downstream, tokenFrom, correlationId, exchangeMs, downstreamMs } = record;
      Object.assign(request.record, { downstream, tokenFrom, correlationId, exchangeMs, downstreamMs });
    }
  }
}

/** Gets a token that has the claims which a downstream wanted of the one before. */
async function acquireAnother(
  request: InboundRequest,
  { session, operation, claims }: { readonly session: Session; readonly operation: Operation; readonly claims: string },
  steps: Steps,
): Promise<FetchedToken> {
  const held = steps.recallToken(session, operation);
  if (held?.claims === claims) {
    return { token: held, from: 'session', correlationId: undefined };
  }
  const found = held ?? steps.exchange(request, session, operation);
  const token = found instanceof Promise ? (await found).token : found;
  if (token === undefined) {
    throw new GatewayError('missing_token');
  }
  const challenges = [`Bearer claims="${Buffer.from(claims).toString('base64')}"`];
  const rejection = { session, token, challenges, correlationId: undefined };
  const renewed = await exchangeAfterRejection(request, operation, rejection, steps);
  return { token: renewed.token, from: 'entra', correlationId: renewed.correlationId };
}

function routeTo(operation: Operation, service: string): RouteMatch<Operation> {
  const routes = downstreamRoutes.get(operation) ?? new Map<string, RouteMatch<Operation>>();
  downstreamRoutes.set(operation, routes);
  const { name, path, access } = operation;
  const route = routes.get(service) ?? routeBareOperation({ name, path, access, service });
  routes.set(service, route);
  return route;
}

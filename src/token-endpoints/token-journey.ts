import { readBearerToken } from '../auth/bearer-token.ts';
import { routeBareOperation } from '../contract/operations/bare-operation.ts';
import type { Operation } from '../contract/operations/operation.ts';
import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import { authorizeCall, type BindSteps, type FindToken, type Steps } from '../journey.ts';
import type { DownstreamToken, FetchedToken } from '../session/downstream-token.ts';
import type { Requirement } from '../session/requirement.ts';
import type { Session } from '../session/session.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../syntax/json.ts';

/**
 * The way to a token without a call: the journey of a call of the contract up to the exchange. What the contract says of
 * an operation, gateway.yaml says here, for the tokens of all downstreams alike.
 */
export class TokenJourney {
  readonly #operation: Operation;
  readonly #steps: Steps;

  /**
   * @param name what the log and the metrics call it
   * @param options.service the downstream whose token is asked for; absent where only the caller's own token is looked at
   */
  constructor(
    name: string,
    options: { readonly access: readonly Requirement[]; readonly bindSteps: BindSteps; readonly service?: string },
  ) {
    const { access, service = '' } = options;
    const route = routeBareOperation({ name, access, service });
    this.#operation = route.entry;
    this.#steps = options.bindSteps({
      match({ record }) {
        record.operation = name;
        return route;
      },
    });
  }

  /**
   * Gets the caller's token for the downstream.
   *
   * @param isNew true for one that was not given out before, as far as Entra may be asked again: once a minute
   * @throws {GatewayError} every refusal of an exchange in a call
   */
  async acquire(request: InboundRequest, isNew = false): Promise<DownstreamToken> {
    const steps = this.#steps;
    const find: FindToken = isNew
      ? (asked, session, operation) => session && renew(asked, session, operation, steps)
      : (asked, session, operation) => steps.exchange(asked, session, operation);
    const { session, token } = await authorizeCall(request, steps, checkNothing, find);
    if (session === undefined || token === undefined) {
      throw new GatewayError('missing_token');
    }
    if (request.record.tokenFrom === 'session') {
      // Nobody tells how a call ended that the application made: a token that is asked for again was hardly rejected.
      steps.noteSuccess(session, this.#operation);
    }
    return token;
  }

  /**
   * Finds the claims of the caller's own token.
   *
   * @throws {GatewayError} where the token is not good, or does not permit to ask
   */
  async readClaims(request: InboundRequest): Promise<JsonObject> {
    await authorizeCall(request, this.#steps, checkNothing, findNothing);
    // The token itself was verified, or is the very one that was.
    const payload = readBearerToken(request.req).split('.')[1] ?? '';
    const claims = parseJsonObject(Buffer.from(payload, 'base64url').toString('utf8'));
    if (!isJsonObject(claims)) {
      throw new GatewayError('invalid_token');
    }
    return claims;
  }
}

/** A token that Entra issues now, or the one that is held where Entra was asked less than a minute ago. */
async function renew(
  request: InboundRequest,
  session: Session,
  operation: Operation,
  steps: Steps,
): Promise<FetchedToken> {
  const found = steps.exchange(request, session, operation);
  const fetched =
    found instanceof Promise
      ? await found
      : found && { token: found, from: 'session' as const, correlationId: undefined };
  if (fetched === undefined) {
    throw new GatewayError('missing_token');
  }
  if (fetched.from === 'entra') {
    return fetched;
  }
  // As after a rejection without claims: the token is forgotten, here and in Redis, but only one in a minute.
  steps.readDemand(request, operation, { session, token: fetched.token, challenges: [], correlationId: undefined });
  const again = steps.exchange(request, session, operation);
  return again instanceof Promise ? again : { ...fetched, token: again ?? fetched.token };
}

function checkNothing(): void {}

function findNothing(): undefined {
  return undefined;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBearerToken } from '../auth/bearer-token.ts';
import { routeBareOperation } from '../contract/operations/bare-operation.ts';
import type { Operation } from '../contract/operations/operation.ts';
import type { RouteMatch } from '../contract/routes/route-table.ts';
import { GatewayError } from '../failures.ts';
import { authorizeCall, type BindSteps, type Steps } from '../journey.ts';
import { receive } from '../request/receive.ts';
import type { Session } from '../session/session.ts';
import { nameOf, readProtections, type AccessGroup, type Protection, type ScopeRules } from './access.ts';
import { nameRoute } from './operation-name.ts';
import type { ProtectedRequest } from './protected-request.ts';
import type { Requests } from './requests.ts';

/** What callers are let in with. */
export interface GuardOptions {
  readonly requests: Requests;
  readonly bindSteps: BindSteps;
  readonly rules: ScopeRules;
  /** True once the instance has ended. */
  readonly isClosed: () => boolean;
}

/** Makes the refusal of a request that comes after the instance has ended. */
export function instanceClosed(): GatewayError {
  return new GatewayError('overloaded', { log: { reason: 'the instance was closed' } });
}

/** How many operations one call of `protect` can stand for; a route below a parameter could have any number of names. */
const MAX_OPERATIONS = 100;

/** Lets callers in to one handler, or to a part of an application. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #groups: readonly AccessGroup[];
  readonly #name: string | undefined;
  readonly #routes = new Map<string, RouteMatch<Operation>>();
  /** Stands for all further ones. */
  readonly #others: RouteMatch<Operation>;
  readonly #steps: Steps;

  /** @throws {OboUsageError} for what no token of this API can meet */
  constructor(ways: readonly Protection[], options: GuardOptions) {
    this.#options = options;
    this.#groups = readProtections(ways, options.rules);
    this.#name = nameOf(ways);
    this.#others = this.#makeRoute('*', '*');
    this.#steps = this.#bindSteps(options.bindSteps);
  }

  /**
   * Lets the caller of a request in.
   *
   * @throws {OboError} every refusal
   */
  async admit(req: IncomingMessage, res: ServerResponse): Promise<ProtectedRequest> {
    const begun = this.#options.requests.begin(req, res);
    const { request } = begun;
    try {
      if (this.#options.isClosed()) {
        throw instanceClosed();
      }
      // How long a head may be is a matter of the server of the application.
      receive(req, request.target, Number.POSITIVE_INFINITY);
      const { session, route } = await authorizeCall(request, this.#steps, checkNothing, findNothing);
      if (session === undefined) {
        throw new GatewayError('missing_token');
      }
      const assertion = readBearerToken(req);
      begun.admission = { session, operation: route.entry, assertion, steps: this.#steps };
      return begun;
    } catch (error) {
      throw begun.refuse(error);
    }
  }

  #bindSteps(bind: BindSteps): Steps {
    const match: Steps['match'] = ({ req, record }) => {
      const route = this.#routeOf(req);
      record.operation = route.entry.name;
      return route;
    };
    if (this.#groups.length === 1) {
      return bind({ match });
    }
    const plain = bind({});
    return bind({ match, authorize: (session, operation) => this.#authorizeAny(session, operation, plain) });
  }

  /** Tries the alternatives by their authentication contexts: a caller who lacks only the context is asked for it. */
  #authorizeAny(session: Session | undefined, operation: Operation, plain: Steps): Session | undefined {
    const refusals: unknown[] = [];
    for (const { access, authContext } of this.#groups) {
      try {
        const { authContext: _first, ...common } = operation;
        return plain.authorize(session, { ...common, access, ...(authContext !== undefined && { authContext }) });
      } catch (error) {
        refusals.push(error);
      }
    }
    const challenge = refusals.find((error) => error instanceof GatewayError && error.facts.claims !== undefined);
    if (challenge === undefined) {
      // Names what a caller of this kind lacks, whichever alternative asks for it.
      plain.authorize(session, operation);
    }
    throw challenge ?? refusals[0];
  }

  #routeOf(req: IncomingMessage): RouteMatch<Operation> {
    const path = this.#name ?? nameRoute(req);
    const name = this.#name ?? `${req.method ?? ''} ${path}`;
    const known = this.#routes.get(name);
    if (known !== undefined) {
      return known;
    }
    return this.#routes.size < MAX_OPERATIONS ? this.#addRoute(name, path) : this.#others;
  }

  #addRoute(name: string, path: string): RouteMatch<Operation> {
    const route = this.#makeRoute(name, path);
    this.#routes.set(name, route);
    return route;
  }

  #makeRoute(name: string, path: string): RouteMatch<Operation> {
    const access = this.#groups.flatMap((group) => group.access);
    const authContext = this.#groups.length === 1 ? this.#groups[0]?.authContext : undefined;
    return routeBareOperation({ name, path, access, authContext });
  }
}

function checkNothing(): void {}

function findNothing(): undefined {
  return undefined;
}

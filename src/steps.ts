import type { Authenticate } from './auth/authenticate.ts';
import { authorize, type AccessLists } from './auth/authorize.ts';
import { readBearerToken } from './auth/bearer-token.ts';
import { readDownstreamDemand, type DownstreamDemand } from './challenge/downstream-claims.ts';
import type { Operation } from './contract/contract.ts';
import type { RouteTable } from './contract/route-table.ts';
import { validate } from './contract/validate.ts';
import type { DownstreamToken, FetchedToken } from './downstream-tokens.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { ExchangeTarget } from './exchange/guarded-token-client.ts';
import type { Downstream } from './forward/downstream.ts';
import { forward } from './forward/forward.ts';
import type { SelectRequestHeaders } from './forward/request-headers.ts';
import { findHeaders, selectResponseHeaders } from './forward/response-headers.ts';
import type { Steps } from './journey.ts';
import type { Session } from './session.ts';
import { receive } from './receive.ts';
import { since, type RequestRecord } from './telemetry/request-record.ts';

/** A downstream as the exchange and the forwarding know it. */
export interface Service {
  readonly target: ExchangeTarget;
  readonly downstream: Downstream;
}

/** What the steps of one gateway work with; the same for every request. */
export interface StepOptions {
  readonly routes: RouteTable<Operation>;
  readonly authenticate: Authenticate;
  readonly accessLists: AccessLists;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly exchange: Exchange;
  /** By name; the contract names no other. */
  readonly services: ReadonlyMap<string, Service>;
  readonly selectRequestHeaders: SelectRequestHeaders;
  /** The headers that every proxied answer carries besides its own: names and values in turn. */
  readonly answerHeaders: (origin: string | undefined) => readonly string[];
  /** Our challenge without an error, in the place of a foreign one. */
  readonly bareChallenge: string;
}

/** Binds the steps of the journey to one gateway, and writes down what they find for the log and the metrics. */
export function createSteps(options: StepOptions): Steps {
  const { routes, accessLists, bodyLimit, exchange, selectRequestHeaders } = options;
  return {
    receive: ({ req, target }) => receive(req, target),

    match({ req, target, record }) {
      const route = routes.match(req.method ?? '', target.path);
      record.operation = route.entry.name;
      return route;
    },

    authenticate({ req, res, record }, { access }) {
      if (access === 'anonymous') {
        return undefined;
      }
      const session = options.authenticate(req, res);
      return session instanceof Promise ? session.then(note) : note(session);

      function note(caller: Session): Session {
        record.principal = caller.principal;
        return caller;
      }
    },

    authorize(session, { access, authContext }) {
      if (session !== undefined && access !== 'anonymous') {
        authorize(session.principal, { access, authContext }, accessLists);
      }
    },

    validate({ req, res, target }, { entry, values }) {
      const askForBody = (): void => {
        // Node lets no other expectation come this far.
        if (req.headers.expect !== undefined && req.httpVersion !== '1.0') {
          res.writeContinue();
        }
      };
      const { idleTimeout } = serviceOf(entry.service).downstream;
      const reading = { limit: bodyLimit, askForBody, idleTimeout };
      return validate(req, entry, { values, query: target.query, reading });
    },

    exchange({ req, record }, session, { name, service }, claims) {
      record.downstream = service;
      if (session === undefined) {
        return undefined;
      }
      const challenge = claims === undefined ? exchange.recall(session, name) : undefined;
      if (challenge !== undefined) {
        throw challenge;
      }
      const token = exchange.acquire({
        session,
        assertion: () => readBearerToken(req),
        target: serviceOf(service).target,
        claims,
        correlationId: record.correlationId,
      });
      if (token instanceof Promise) {
        return noteExchange(token, record);
      }
      record.tokenFrom = 'session';
      return token;
    },

    forward({ req, res, target, record }, { route, body }, token) {
      const { entry, values } = route;
      const { downstream } = serviceOf(entry.service);
      const start = performance.now();
      return forward(res, {
        downstream,
        method: entry.downstreamMethod,
        path: entry.fillPath(values),
        query: target.query,
        headers: selectRequestHeaders(req, { requestId: record.requestId, token }),
        body: body.send(),
        onHead: () => {
          record.downstreamMs = since(start);
        },
      });
    },

    readDemand({ req }, { route }, { session, token, answer }) {
      const { target } = serviceOf(route.entry.service);
      // Nobody can step up for the gateway's own token.
      const demand: DownstreamDemand =
        session.principal.kind === 'user'
          ? readDownstreamDemand(findHeaders(answer.rawHeaders, 'www-authenticate'))
          : { kind: 'none' };
      const reason = demand.kind === 'claims' ? 'claims' : 'unknown';
      exchange.discard({ session, assertion: () => readBearerToken(req), target }, token, reason);
      answer.discard();
      return demand;
    },

    expectClaims: (session, { service }, claims) => exchange.expect(session, serviceOf(service).target, claims),

    rememberChallenge: (session, { name }, challenge) => exchange.remember(session, name, challenge),

    answer({ req, res, record }, answer) {
      const isRefusal = answer.status === 401 || answer.status === 403;
      const headers = selectResponseHeaders(answer.rawHeaders, { mayBeCached: !isRefusal });
      headers.push('x-request-id', record.requestId, ...options.answerHeaders(req.headers.origin));
      if (answer.status === 401) {
        // Only an anonymous operation's 401 comes this far: it had no token of ours to refuse.
        headers.push('www-authenticate', options.bareChallenge);
      }
      return answer.sendTo(res, headers);
    },
  };

  function serviceOf(name: string): Service {
    const service = options.services.get(name);
    if (service === undefined) {
      throw new Error(`the contract names the service ${name}, which the configuration lacks`);
    }
    return service;
  }
}

async function noteExchange(request: Promise<FetchedToken>, record: RequestRecord): Promise<DownstreamToken> {
  const start = performance.now();
  record.tokenFrom = 'entra';
  try {
    const { token, from, correlationId } = await request;
    record.tokenFrom = from;
    if (correlationId !== undefined) {
      record.correlationId = correlationId;
    }
    return token;
  } finally {
    record.exchangeMs = since(start);
  }
}

import type { Authenticate } from './auth/authenticate.ts';
import { authorize, type AccessLists } from './auth/authorize.ts';
import { bringsToken, readBearerToken } from './auth/bearer-token.ts';
import { sendContinue } from './request/body.ts';
import type { BodyMemory } from './request/body-memory.ts';
import { announceContext } from './challenge/announce-context.ts';
import { readDownstreamDemand } from './challenge/downstream-claims.ts';
import { nameResource } from './challenge/name-resource.ts';
import { nameScopes } from './challenge/name-scopes.ts';
import { replaceHopelessChallenge, type ChallengeRules } from './challenge/replace-hopeless-challenge.ts';
import type { McpServer } from './contract/operations/mcp-server.ts';
import type { Operation } from './contract/operations/operation.ts';
import type { ToPublicAddress } from './contract/public-address.ts';
import type { RouteMatch, RouteTable } from './contract/routes/route-table.ts';
import { validate, validateParameters } from './contract/validate.ts';
import { GatewayError } from './failures.ts';
import type { FetchedToken } from './session/downstream-token.ts';
import type { Exchange } from './exchange/assemble-exchange.ts';
import type { DownstreamScopes } from './session/token-source.ts';
import { holdsAddress, rewriteAddresses } from './forward/address-headers.ts';
import type { Downstream } from './forward/downstream.ts';
import type { AddFixedQuery } from './forward/fixed-query.ts';
import { forward } from './forward/forward.ts';
import type { SelectOwnHeaders, SelectRequestHeaders } from './forward/request-headers.ts';
import { findHeaders, selectResponseHeaders } from './forward/response-headers.ts';
import { openWebSocket } from './forward/websocket.ts';
import { refuseOtherProtocol } from './http/upgrades.ts';
import type { Steps } from './journey.ts';
import { refuseForeignOrigin } from './mcp/foreign-origin.ts';
import { readToolCall, type ToolCallBody } from './mcp/tool-call.ts';
import { isOptional, scopesForUsers } from './session/requirement.ts';
import type { Session } from './session/session.ts';
import type { InboundRequest } from './inbound-request.ts';
import { since, type RequestRecord } from './telemetry/request-record.ts';

/** A downstream as the exchange and the forwarding know it. */
export interface DownstreamBinding {
  readonly scopes: DownstreamScopes;
  /** Absent where only engines call it, so that gateway.yaml does not say where it is. */
  readonly downstream: Downstream | undefined;
}

/** A downstream as calls reach it. */
export interface CallableDownstream extends DownstreamBinding {
  readonly selectRequestHeaders: SelectRequestHeaders;
  /** The same for the calls that an application makes itself. */
  readonly selectOwnHeaders: SelectOwnHeaders;
  /** Absent where every query goes on as it came. */
  readonly addFixedQuery: AddFixedQuery | undefined;
}

/** What the steps of one gateway need; it is the same for every request. */
export interface StepOptions {
  readonly routes: RouteTable<Operation>;
  readonly authenticate: Authenticate;
  readonly accessLists: AccessLists;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly bodyMemory: BodyMemory;
  readonly exchange: Exchange;
  /** By name; the contract names no other. */
  readonly services: ReadonlyMap<string, CallableDownstream>;
  readonly toPublicAddress: ToPublicAddress;
  /** The headers that every proxied answer of an operation carries besides its own: names and values in turn. */
  readonly answerHeaders: (origin: string | undefined, operation: Operation) => readonly string[];
  /** Writes our challenge without an error, which replaces that of a downstream. */
  readonly bareChallenge: (operation: Operation) => string;
  /** The address of the metadata of the resource that an operation belongs to; `undefined` for those of the whole API. */
  readonly nameMetadata: (operation: Operation) => string | undefined;
  /** The origins whose pages may call MCP servers. */
  readonly mcpOrigins: ReadonlySet<string>;
  readonly challengeRules: ChallengeRules;
  /** True for an MCP server whose clients get their tokens from its façade. */
  readonly hasFacade: (server: McpServer) => boolean;
  /** Names an operation where refusals of it are remembered and counted; another name for other rules. */
  readonly nameRules: (operation: Operation) => string;
}

/** Binds the steps of the journey to one gateway, and writes down what they find for the log and the metrics. */
export function createSteps(options: StepOptions): Steps {
  return { ...admissionSteps(options), ...tokenSteps(options), ...deliverySteps(options) };
}

/** The steps that find out who calls what and whether it may; nothing leaves the gateway yet. */
function admissionSteps(
  options: StepOptions,
): Pick<Steps, 'match' | 'checkOrigin' | 'authenticate' | 'authorize' | 'validate' | 'validateParameters'> {
  const { routes, services, accessLists, bodyLimit, bodyMemory } = options;
  return {
    match({ req, target, record }) {
      const route = routes.match(req.method ?? '', target.path);
      record.operation = route.entry.name;
      return route;
    },

    checkOrigin({ req }, { mcpServer }) {
      if (mcpServer !== undefined) {
        refuseForeignOrigin(req.headers.origin, options.mcpOrigins);
      }
    },

    authenticate({ req, res, record }, { access }) {
      if (access === 'anonymous' || (isOptional(access) && !bringsToken(req))) {
        return undefined;
      }
      const session = options.authenticate(req, res);
      return session instanceof Promise ? session.then(note) : note(session);

      function note(caller: Session): Session {
        record.principal = caller.principal;
        return caller;
      }
    },

    authorize(session, { access, authContext, mcpServer }) {
      if (access === 'anonymous' || (session === undefined && isOptional(access))) {
        return session;
      }
      if (session === undefined) {
        // The server of a tool does without a token, and the tool does not.
        throw new GatewayError('missing_token');
      }
      const permission = { access, authContext, isForMcp: mcpServer !== undefined };
      return authorize(session.principal, permission, accessLists) ? session : undefined;
    },

    validate({ req, res, target, record }, { entry, values, encoded }) {
      refuseOtherProtocol(entry.upgrade, req, res);
      const { idleTimeout } = reachable(serviceOf(services, entry.service));
      const reading = {
        limit: entry.bodyLimitBytes ?? bodyLimit,
        askForBody: () => sendContinue(req, res),
        idleTimeout: entry.timeouts?.idleMs ?? idleTimeout,
        memory: bodyMemory,
        lifetime: res,
      };
      if (entry.tools === undefined) {
        return validate(req, entry, { values, encoded, query: target.query, reading });
      }
      const reads = readToolCall(req, entry, reading);
      return reads instanceof Promise ? reads.then(note) : reads;

      function note(body: ToolCallBody): ToolCallBody {
        if (body.tool?.tool !== undefined) {
          record.tool = body.tool.tool;
        }
        return body;
      }
    },

    validateParameters({ req, target }, { entry, values, encoded }) {
      if (entry.tools !== undefined) {
        throw new GatewayError('access_denied', { log: UNSEEN_TOOLS });
      }
      validateParameters(req, entry.parameters, { values, encoded, query: target.query });
    },
  };
}

/** What the log says where an engine asks about a call whose body decides who may make it. */
const UNSEEN_TOOLS = {
  reason: 'x-mcp-server has rules for tools, and an engine shows no body',
  remedy: 'Send the calls of this path to the gateway itself, which forwards them, or leave `tools` out.',
};

/** The steps that get the caller's token for the downstream, and that follow when there is none or it does not help. */
function tokenSteps(
  options: StepOptions,
): Pick<
  Steps,
  | 'exchange'
  | 'recallToken'
  | 'readDemand'
  | 'asksAgentForProof'
  | 'expectClaims'
  | 'rememberChallenge'
  | 'adaptFailure'
  | 'noteSuccess'
> {
  const { services, exchange, challengeRules, nameRules } = options;
  const { loop } = challengeRules;
  return {
    exchange(request, session, operation, again) {
      const { record } = request;
      const { service } = operation;
      record.downstream = service;
      if (session === undefined) {
        return undefined;
      }
      const mayBeRefused = again?.claims === undefined && session.tokens.hasRefusals;
      const challenge = mayBeRefused ? exchange.recall(session, nameRules(operation)) : undefined;
      if (challenge !== undefined) {
        throw challenge;
      }
      const token = exchange.acquire({
        session,
        assertion: () => readAssertion(request),
        downstream: serviceOf(services, service).scopes,
        claims: again?.claims ?? '',
        correlationId: again?.correlationId,
      });
      if (token instanceof Promise) {
        return noteExchange(token, record);
      }
      record.tokenFrom = 'session';
      return token;
    },

    recallToken: (session, { service }) => exchange.peek(session, serviceOf(services, service).scopes),

    readDemand(request, { service }, { session, token, challenges }) {
      const demand = readDownstreamDemand(challenges);
      const wanted = {
        session,
        assertion: () => readAssertion(request),
        downstream: serviceOf(services, service).scopes,
        claims: demand.kind === 'claims' ? demand.claims : '',
        correlationId: undefined,
      };
      const isForgotten = exchange.discard(wanted, token);
      // Only the first call that finds the gateway's own token rejected renews it; the others take what that one gets.
      return session.principal.kind === 'user' || isForgotten ? demand : { kind: 'none' };
    },

    asksAgentForProof: ({ service }, challenges) =>
      serviceOf(services, service).scopes.agent !== undefined && readDownstreamDemand(challenges).kind !== 'none',

    expectClaims: (session, { service }, claims) =>
      exchange.expect(session, serviceOf(services, service).scopes, claims),

    rememberChallenge(session, operation, challenge) {
      if (foretellsNext(operation)) {
        exchange.remember(session, nameRules(operation), challenge);
      }
    },

    adaptFailure(error, session, operation) {
      const { access, authContext, mcpServer } = operation;
      const principal = session?.principal;
      const mcp = mcpServer && { scopes: scopesForUsers(access), hasFacade: options.hasFacade(mcpServer) };
      const challenged = { name: nameRules(operation), mcp, authContext };
      const named = announceContext(nameScopes(error, access), principal, challenged);
      const replaced = replaceHopelessChallenge(named, principal, challenged, challengeRules);
      return nameResource(replaced, options.nameMetadata(operation));
    },

    noteSuccess(session, operation) {
      if (!loop.isEmpty && foretellsNext(operation)) {
        loop.forget(session.principal, nameRules(operation));
      }
    },
  };
}

/** The steps to the downstream and back. */
function deliverySteps(options: StepOptions): Pick<Steps, 'forward' | 'readChallenges' | 'answer'> {
  const { services } = options;
  return {
    forward({ req, res, target, requestId, record }, { route, body, own, traceContext }, token) {
      const { entry, encoded } = route;
      const service = serviceOf(services, entry.service);
      const { selectRequestHeaders, selectOwnHeaders, addFixedQuery } = service;
      const downstream = reachable(service);
      const start = performance.now();
      const { method, path, query } = own ?? {
        method: entry.downstreamMethod,
        path: entry.fillPath(encoded),
        query: target.query,
      };
      const added = { requestId, token, traceContext };
      const call = {
        downstream,
        method,
        path,
        query: addFixedQuery === undefined ? query : addFixedQuery(query),
        headers: own === undefined ? selectRequestHeaders(req, added) : selectOwnHeaders(own.headers, req, added),
        body,
        timeouts: entry.timeouts,
        res: own === undefined ? res : undefined,
        onHead: () => {
          record.downstreamMs = since(start);
        },
      };
      return entry.upgrade === undefined ? forward(own?.owner ?? res, call) : openWebSocket(res, call);
    },

    readChallenges: (answer) => findHeaders(answer.rawHeaders, 'www-authenticate'),

    answer(request, { route }, answer) {
      const { req, res, requestId } = request;
      const isRefusal = answer.status === 401 || answer.status === 403;
      const selected = selectResponseHeaders(answer.rawHeaders, {
        mayBeCached: !isRefusal,
        mayHaveLength: answer.status !== 204,
      });
      const headers = holdsAddress(selected) ? toPublic(selected, route, request) : selected;
      headers.push('x-request-id', requestId, ...options.answerHeaders(req.headers.origin, route.entry));
      if (answer.status === 401) {
        // Only the 401 of an anonymous operation comes this far: that call carried no token of ours.
        headers.push('www-authenticate', options.bareChallenge(route.entry));
      }
      return answer.sendTo(res, headers);
    },
  };

  function toPublic(
    headers: readonly string[],
    route: RouteMatch<Operation>,
    { target: { query }, mountPath }: InboundRequest,
  ): string[] {
    const { document, service, fillPath } = route.entry;
    const answered = { document, service, target: `${fillPath(route.encoded)}${query}`, mountPath };
    return rewriteAddresses(headers, (address) => options.toPublicAddress(address, answered));
  }
}

/**
 * True where how one call of the operation ends says something of the next. Messages to an MCP server share an operation,
 * and of those that call no tool with rules of its own nothing is known: the list of the tools is there for everybody, and
 * says nothing of the tool that is refused each time.
 */
function foretellsNext({ mcpServer, tool }: Operation): boolean {
  return mcpServer === undefined || tool !== undefined;
}

function readAssertion({ req, assertion }: InboundRequest): string {
  return assertion ?? readBearerToken(req);
}

function serviceOf(services: StepOptions['services'], name: string): CallableDownstream {
  const service = services.get(name);
  if (service === undefined) {
    throw new Error(`the contract names the service ${name}, which the configuration lacks`);
  }
  return service;
}

/** @throws {GatewayError} `not_found` for an operation that is not proxied, before its caller costs an exchange */
function reachable({ downstream, scopes }: CallableDownstream): Downstream {
  if (downstream === undefined) {
    throw new GatewayError('not_found', {
      log: {
        reason: `downstreams.${scopes.name} has no baseUrl, so only engines call it`,
        remedy: 'Send such calls to the engine, or set baseUrl where the gateway is to forward them as well.',
      },
    });
  }
  return downstream;
}

async function noteExchange(request: Promise<FetchedToken>, record: RequestRecord): Promise<FetchedToken> {
  const start = performance.now();
  record.tokenFrom = 'entra';
  try {
    const fetched = await request;
    record.tokenFrom = fetched.from;
    if (fetched.correlationId !== undefined) {
      record.correlationId = fetched.correlationId;
    }
    return fetched;
  } finally {
    record.exchangeMs = since(start);
  }
}

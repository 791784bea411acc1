import { isDeepStrictEqual } from 'node:util';
import { createApiHandler, type ApiHandler } from '../app.ts';
import { createAuthorizationHandler } from '../authorization-service/authorization-service.ts';
import { createAuthenticate } from '../auth/authenticate.ts';
import type { TokenRules } from '../auth/verify-token.ts';
import { formatChallenge } from '../challenge/www-authenticate.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { createPublicAddresses } from '../contract/public-address.ts';
import { DocumentationPage } from '../documentation/documentation-page.ts';
import { describePage } from '../documentation/page-settings.ts';
import { compileFixedQuery } from '../forward/fixed-query.ts';
import { createOwnHeaderSelection, createRequestHeaderSelection } from '../forward/request-headers.ts';
import { publishContract } from '../http/contract-documents.ts';
import { CorsPolicy } from '../http/cors.ts';
import { createPageHeaders } from '../http/security-headers.ts';
import type { RequestAccountOptions, RequestHandler } from '../inbound-request.ts';
import type { BindSteps, Steps } from '../journey.ts';
import type { McpFacade } from '../mcp/facade/mcp-facade.ts';
import { Networks } from '../network/networks.ts';
import { NativeAuth } from '../native-auth/native-auth.ts';
import { createSteps, type CallableDownstream } from '../steps.ts';
import { createRequestSpans, type RequestSpans } from '../telemetry/otlp/request-spans.ts';
import { createRequestLog } from '../telemetry/request-log.ts';
import { traceSteps } from '../trace-steps.ts';
import type { Core } from './core.ts';
import type { Downstreams } from './downstreams.ts';
import { openMcpFacade } from './mcp-facade.ts';
import { createRuleNames } from './operation-rules.ts';
import { createMetadataNames, describeApi, describeServers, MCP_HEADERS } from './resources.ts';
import { describeSite, type Site } from './site.ts';
import { openTokenEndpoints } from './token-endpoints.ts';

/** What one configuration defines: who may call what, and what becomes of a request. */
export interface Deployment {
  readonly config: GatewayConfig;
  readonly downstreams: Downstreams;
  readonly site: Site;
  readonly cors: CorsPolicy;
  readonly tokenRules: TokenRules;
  readonly nativeAuth: NativeAuth | undefined;
  readonly mcpFacade: McpFacade | undefined;
  readonly api: ApiHandler;
  /** Gives the steps, with other ones in the place of some. */
  readonly bindSteps: BindSteps;
  /** Called with every request of an application's own once it is over. */
  readonly onRequest: RequestAccountOptions['onRequest'];
  /** What engines ask; absent unless gateway.yaml turns it on. */
  readonly authorizationService: RequestHandler | undefined;
}

/** What a deployment is made of besides the core. */
export interface DeploymentOptions {
  readonly config: GatewayConfig;
  readonly downstreams: Downstreams;
  /** How clients reach the gateway, without a slash at the end; `undefined` in an application that does not say it. */
  readonly resource: string | undefined;
  /** True in an application, which decides below which path the contract is served; default false. */
  readonly isMounted?: boolean;
  /** The deployment that counted before, whose state goes on where it means the same; absent at the start. */
  readonly before?: Deployment | undefined;
}

/** The parts of a deployment that others are made of. */
type Parts = Omit<Deployment, 'api' | 'authorizationService' | 'bindSteps'> & {
  /** `cors` for MCP servers. */
  readonly mcpCors: CorsPolicy;
  /** True for the path of an MCP server. */
  readonly isMcpServer: (path: string) => boolean;
  /** Absent unless traces are sent. */
  readonly requestSpans: RequestSpans | undefined;
  readonly trustedProxies: Networks | undefined;
  readonly isMounted: boolean;
};

/** Makes what one configuration defines. */
export function deploy(options: DeploymentOptions, core: Core): Deployment {
  const { config, downstreams, resource, before, isMounted = false } = options;
  const { cors, trustedProxies: networks } = config.server;
  const trustedProxies = networks.length === 0 ? undefined : new Networks(networks);
  const site = describeSite(resource, config.contract, core);
  const mcpPaths = new Set(config.contract.mcpServers.map(({ path }) => path));
  const requestSpans = openRequestSpans(site, trustedProxies, core);
  const parts: Parts = {
    config,
    downstreams,
    site,
    cors: new CorsPolicy(cors.origins, cors.exposedHeaders),
    mcpCors: new CorsPolicy(cors.origins, [...cors.exposedHeaders, ...MCP_HEADERS]),
    isMcpServer: (path) => mcpPaths.has(path),
    tokenRules: keepEqual(tokenRulesOf(config), before?.tokenRules),
    nativeAuth: openNativeAuth({ config, trustedProxies, before }, core),
    mcpFacade: openMcpFacade({ config, site, trustedProxies, before }, core),
    requestSpans,
    onRequest: reportRequests({ config, trustedProxies, requestSpans }, core),
    trustedProxies,
    isMounted,
  };
  const plain = bindSteps(parts, core);
  const steps = traced(plain, parts, core);
  const bind: BindSteps = (others) => traced({ ...plain, ...others }, parts, core);
  return {
    ...parts,
    api: createApi(parts, core, steps),
    bindSteps: bind,
    authorizationService: createAuthorizationService(parts, core, steps, bind),
  };
}

/** Takes the object of before where it says the same, so that what was made by it still counts. */
function keepEqual<T>(now: T, before: T | undefined): T {
  return isDeepStrictEqual(now, before) ? (before as T) : now;
}

function tokenRulesOf({ identity }: GatewayConfig): TokenRules {
  const { audiences, tenant, clockTolerance, boundTokens } = identity;
  return { audiences, tenant, clockTolerance, boundTokens };
}

/** Opens native authentication; where all is as before, its rate limits go on counting. */
function openNativeAuth(
  { config, trustedProxies, before }: Pick<Parts, 'config' | 'trustedProxies'> & Pick<DeploymentOptions, 'before'>,
  { authority, http, bodyMemory, clocks }: Core,
): NativeAuth | undefined {
  const { nativeAuth, server } = config;
  const old = before?.config;
  const isAsBefore = isDeepStrictEqual(
    [nativeAuth, server.trustedProxies],
    [old?.nativeAuth, old?.server.trustedProxies],
  );
  if (nativeAuth === undefined || isAsBefore) {
    return nativeAuth && before?.nativeAuth;
  }
  return new NativeAuth({
    ...nativeAuth,
    tenantUrl: authority.tenantUrl,
    trustedProxies,
    http,
    bodyMemory,
    ...clocks,
  });
}

function createApi(parts: Parts, core: Core, steps: Steps): ApiHandler {
  const { config, site, cors, mcpCors, isMcpServer, nativeAuth, mcpFacade, onRequest } = parts;
  const { metrics, authority } = core;
  const { server, contract } = config;
  const { resource, frame, security } = site;
  return createApiHandler({
    steps,
    hasOperation: (path) => contract.routes.has(path),
    cors,
    mcpCors,
    isMcpServer,
    headLimitBytes: server.headLimit,
    maxInFlight: server.maxInFlight,
    inFlight: metrics.inFlight,
    security,
    frame,
    documents: new Map([
      ...publishContract(contract, { publicUrl: parts.isMounted ? undefined : resource, authority }),
      ...(resource === undefined ? [] : describeApi(resource, parts, core)),
      ...describeServers(parts, core),
    ]),
    nativeAuth,
    mcpFacade,
    documentation: createDocumentation(parts, core),
    onRequest,
  });
}

function createAuthorizationService(
  parts: Parts,
  core: Core,
  steps: Steps,
  bindTokenSteps: BindSteps,
): RequestHandler | undefined {
  const { config, downstreams, site, cors } = parts;
  const { authorizationService, server } = config;
  if (authorizationService === undefined) {
    return undefined;
  }
  const callers = new Networks(authorizationService.callers);
  return createAuthorizationHandler({
    steps,
    frame: site.frame,
    callers,
    headLimitBytes: server.headLimit,
    maxInFlight: server.maxInFlight,
    inFlight: core.metrics.inFlight,
    ownHeaders: (origin) => [...cors.headersFor(origin), ...site.security.own],
    corsHeaders: (origin) => cors.headersFor(origin),
    tokenEndpoints: openTokenEndpoints({ config, downstreams, bindSteps: bindTokenSteps }, core),
    // The engine is what stands in front here, and says who its client is.
    onRequest: reportRequests(
      { config, trustedProxies: callers, requestSpans: openRequestSpans(site, callers, core) },
      core,
    ),
  });
}

function openRequestSpans(
  { publicUrl }: Site,
  trustedProxies: Networks | undefined,
  { tracing }: Core,
): RequestSpans | undefined {
  return tracing && createRequestSpans({ tracing, publicUrl, trustedProxies });
}

/** Makes what tells of each request that is over: its span, its line in the log, the metrics. */
function reportRequests(
  { config, trustedProxies, requestSpans }: Pick<Parts, 'config' | 'trustedProxies' | 'requestSpans'>,
  { logger, audit, metrics }: Core,
): RequestAccountOptions['onRequest'] {
  const { log } = config;
  const logRequest = createRequestLog(logger, {
    requests: log.requests,
    audit: log.audit === undefined ? undefined : audit,
    trustedProxies,
  });
  return (req, record) => {
    requestSpans?.end(req, record);
    if (record.isRepeated === true) {
      return;
    }
    logRequest(req, record);
    metrics.recordRequest(req, record);
  };
}

/** The steps as they are, or those that also make spans where traces are sent. */
function traced(steps: Steps, { config, requestSpans: requests }: Parts, { tracing }: Core): Steps {
  if (tracing === undefined || requests === undefined) {
    return steps;
  }
  const addresses = Object.entries(config.downstreams).flatMap(([name, { baseUrl }]) =>
    baseUrl === undefined ? [] : [[name, new URL(baseUrl)] as const],
  );
  return traceSteps(steps, { tracing, requests, baseUrls: new Map(addresses) });
}

function createDocumentation({ config, site }: Parts, { authority }: Core): DocumentationPage | undefined {
  const { resource, publicUrl } = site;
  return config.server.docs === false || resource === undefined || publicUrl === undefined
    ? undefined
    : new DocumentationPage(describePage(config, resource, authority), createPageHeaders(publicUrl, authority.origin));
}

function bindSteps(parts: Parts, core: Core): Steps {
  const { config, site, cors, mcpCors, isMcpServer, tokenRules } = parts;
  const { logger, clocks, keys, sessions, bodyMemory, exchange, loop } = core;
  const { server, identity, contract, downstreams } = config;
  const { publicUrl, frame, security } = site;
  const nameMetadata = createMetadataNames(site);
  return createSteps({
    routes: contract.routes,
    authenticate: createAuthenticate({ sessions, keys, rules: tokenRules, ...clocks, log: logger }),
    accessLists: { tenants: new Set(identity.allowedTenants), clients: new Set(identity.allowedClients) },
    bodyLimit: server.bodyLimit,
    bodyMemory,
    exchange,
    services: reachDownstreams(parts),
    toPublicAddress: createPublicAddresses({ publicUrl, contract, downstreams }),
    answerHeaders: (origin, { path }) => [
      ...(isMcpServer(path) ? mcpCors : cors).headersFor(origin),
      ...security.proxied,
    ],
    bareChallenge: (operation) => formatChallenge(frame, { error: null, resourceMetadata: nameMetadata(operation) }),
    nameMetadata,
    mcpOrigins: new Set([...(publicUrl === undefined ? [] : [publicUrl.origin]), ...server.cors.origins]),
    challengeRules: { loop, requireClientCapability: identity.requireClientCapability },
    hasFacade: ({ path }) => parts.mcpFacade?.issuerOf(path) !== undefined,
    nameRules: createRuleNames(parts.downstreams),
  });
}

function reachDownstreams({ downstreams, site, trustedProxies }: Parts): ReadonlyMap<string, CallableDownstream> {
  return new Map(
    [...downstreams].map(([name, { scopes, downstream, settings }]) => {
      const { headers, query } = settings;
      const selectRequestHeaders = createRequestHeaderSelection({ publicUrl: site.publicUrl, trustedProxies, headers });
      const selectOwnHeaders = createOwnHeaderSelection(headers);
      const addFixedQuery = compileFixedQuery(query);
      return [name, { scopes, downstream, selectRequestHeaders, selectOwnHeaders, addFixedQuery }];
    }),
  );
}

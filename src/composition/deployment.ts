import { isDeepStrictEqual } from 'node:util';
import { createApiHandler } from '../app.ts';
import { createAuthorizationHandler } from '../authorization-service/authorization-service.ts';
import { createAuthenticate } from '../auth/authenticate.ts';
import type { TokenRules } from '../auth/verify-token.ts';
import { formatChallenge } from '../challenge/www-authenticate.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { Networks } from '../network/networks.ts';
import { createPublicAddresses } from '../contract/public-address.ts';
import { DocumentationPage } from '../documentation/documentation-page.ts';
import { describePage } from '../documentation/page-settings.ts';
import { compileFixedQuery } from '../forward/fixed-query.ts';
import { createRequestHeaderSelection } from '../forward/request-headers.ts';
import { publishContract } from '../http/contract-documents.ts';
import { CorsPolicy } from '../http/cors.ts';
import { createResourceMetadata, metadataPath } from '../http/resource-metadata.ts';
import { createPageHeaders } from '../http/security-headers.ts';
import type { RequestAccountOptions, RequestHandler } from '../inbound-request.ts';
import type { Steps } from '../journey.ts';
import { NativeAuth } from '../native-auth/native-auth.ts';
import { createSteps, type CallableDownstream } from '../steps.ts';
import { createRequestSpans } from '../telemetry/otlp/request-spans.ts';
import { createRequestLog } from '../telemetry/request-log.ts';
import type { BindSteps } from '../token-endpoints/token-journey.ts';
import { traceSteps } from '../trace-steps.ts';
import type { Core } from './core.ts';
import type { Downstreams } from './downstreams.ts';
import { createRuleNames } from './operation-rules.ts';
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
  readonly api: RequestHandler;
  /** What engines ask; absent unless gateway.yaml turns it on. */
  readonly authorizationService: RequestHandler | undefined;
}

/** What a deployment is made of besides the core. */
export interface DeploymentOptions {
  readonly config: GatewayConfig;
  readonly downstreams: Downstreams;
  /** How clients reach the gateway, without a slash at the end. */
  readonly resource: string;
  /** The deployment that counted before, whose state goes on where it means the same; absent at the start. */
  readonly before?: Deployment | undefined;
}

/** The parts of a deployment that others are made of. */
type Parts = Omit<Deployment, 'api' | 'authorizationService'> & {
  readonly trustedProxies: Networks | undefined;
};

/** Makes what one configuration defines. */
export function deploy({ config, downstreams, resource, before }: DeploymentOptions, core: Core): Deployment {
  const { cors, trustedProxies: networks } = config.server;
  const trustedProxies = networks.length === 0 ? undefined : new Networks(networks);
  const parts = {
    config,
    downstreams,
    site: describeSite(resource, core),
    cors: new CorsPolicy(cors.origins, cors.exposedHeaders),
    tokenRules: keepEqual(tokenRulesOf(config), before?.tokenRules),
    nativeAuth: openNativeAuth({ config, trustedProxies, before }, core),
    trustedProxies,
  };
  const plain = bindSteps(parts, core);
  const steps = traced(plain, parts, core);
  const bindTokenSteps: BindSteps = (match) => traced({ ...plain, match }, parts, core);
  return {
    ...parts,
    api: createApi(parts, core, steps),
    authorizationService: createAuthorizationService(parts, core, steps, bindTokenSteps),
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

function createApi(parts: Parts, core: Core, steps: Steps): RequestHandler {
  const { config, site, cors, nativeAuth, trustedProxies } = parts;
  const { metrics, authority, keys } = core;
  const { server, contract } = config;
  const { resource, publicUrl, frame, security } = site;
  return createApiHandler({
    steps,
    cors,
    headLimitBytes: server.headLimit,
    maxInFlight: server.maxInFlight,
    inFlight: metrics.inFlight,
    security,
    frame,
    documents: publishContract(contract, { publicUrl: resource, authority }),
    metadataPath: metadataPath(publicUrl),
    metadata: () =>
      createResourceMetadata({
        publicUrl: resource,
        issuer: authority.nameIssuer(keys.issuerOf('v2', authority.tenant)),
        name: contract.title,
        scopes: contract.scopes,
      }),
    nativeAuth,
    documentation: createDocumentation(parts, core),
    onRequest: reportRequests(parts, core, trustedProxies),
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
    onRequest: reportRequests(parts, core, callers),
  });
}

/** Makes what tells of each request that is over: its span, its line in the log, the metrics. */
function reportRequests(
  { config, site }: Parts,
  { logger, audit, metrics, tracing }: Core,
  trustedProxies: Parts['trustedProxies'],
): RequestAccountOptions['onRequest'] {
  const { log } = config;
  const logRequest = createRequestLog(logger, {
    requests: log.requests,
    audit: log.audit === undefined ? undefined : audit,
    trustedProxies,
  });
  const spans = tracing && createRequestSpans({ tracing, publicUrl: site.publicUrl, trustedProxies });
  return (req, record) => {
    spans?.end(req, record);
    if (record.isRepeated === true) {
      return;
    }
    logRequest(req, record);
    metrics.recordRequest(req, record);
  };
}

/** The steps as they are, or those that also make spans where traces are sent. */
function traced(steps: Steps, { config, site, trustedProxies }: Parts, { tracing }: Core): Steps {
  if (tracing === undefined) {
    return steps;
  }
  const requests = createRequestSpans({ tracing, publicUrl: site.publicUrl, trustedProxies });
  const addresses = Object.entries(config.downstreams).flatMap(([name, { baseUrl }]) =>
    baseUrl === undefined ? [] : [[name, new URL(baseUrl)] as const],
  );
  return traceSteps(steps, { tracing, requests, baseUrls: new Map(addresses) });
}
function createDocumentation({ config, site }: Parts, { authority }: Core): DocumentationPage | undefined {
  const { resource, publicUrl } = site;
  return config.server.docs === false
    ? undefined
    : new DocumentationPage(describePage(config, resource, authority), createPageHeaders(publicUrl, authority.origin));
}

function bindSteps(parts: Parts, core: Core): Steps {
  const { config, site, cors, tokenRules } = parts;
  const { logger, clocks, keys, sessions, bodyMemory, exchange, loop } = core;
  const { server, identity, contract, downstreams } = config;
  const { publicUrl, frame, security } = site;
  return createSteps({
    routes: contract.routes,
    authenticate: createAuthenticate({ sessions, keys, rules: tokenRules, ...clocks, log: logger }),
    accessLists: { tenants: new Set(identity.allowedTenants), clients: new Set(identity.allowedClients) },
    bodyLimit: server.bodyLimit,
    bodyMemory,
    exchange,
    services: reachDownstreams(parts),
    toPublicAddress: createPublicAddresses({ publicUrl, contract, downstreams }),
    answerHeaders: (origin) => [...cors.headersFor(origin), ...security.proxied],
    bareChallenge: () => formatChallenge(frame, { error: null }),
    challengeRules: { loop, requireClientCapability: identity.requireClientCapability },
    nameRules: createRuleNames(parts.downstreams),
  });
}

function reachDownstreams({ downstreams, site, trustedProxies }: Parts): ReadonlyMap<string, CallableDownstream> {
  return new Map(
    [...downstreams].map(([name, { scopes, downstream, settings }]) => {
      const { headers, query } = settings;
      const selectRequestHeaders = createRequestHeaderSelection({ publicUrl: site.publicUrl, trustedProxies, headers });
      return [name, { scopes, downstream, selectRequestHeaders, addFixedQuery: compileFixedQuery(query) }];
    }),
  );
}

import { isDeepStrictEqual } from 'node:util';
import { createApiHandler, type ApiHandler } from '../app.ts';
import { createAuthenticate } from '../auth/authenticate.ts';
import type { TokenRules } from '../auth/verify-token.ts';
import { formatChallenge } from '../challenge/www-authenticate.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { toNetworks } from '../config/schema.ts';
import { createPublicAddresses } from '../contract/public-address.ts';
import { DocumentationPage } from '../documentation/documentation-page.ts';
import { describePage } from '../documentation/page-settings.ts';
import { compileFixedQuery } from '../forward/fixed-query.ts';
import { createRequestHeaderSelection } from '../forward/request-headers.ts';
import { publishContract } from '../http/contract-documents.ts';
import { CorsPolicy } from '../http/cors.ts';
import { createResourceMetadata, metadataPath } from '../http/resource-metadata.ts';
import { createPageHeaders } from '../http/security-headers.ts';
import type { Steps } from '../journey.ts';
import { NativeAuth } from '../native-auth/native-auth.ts';
import { createSteps, type CallableDownstream } from '../steps.ts';
import { createRequestSpans, type RequestSpans } from '../telemetry/otlp/request-spans.ts';
import { createRequestLog } from '../telemetry/request-log.ts';
import { traceSteps } from '../trace-steps.ts';
import type { Core } from './core.ts';
import type { Downstreams } from './downstreams.ts';
import { createRuleNames } from './operation-rules.ts';
import { describeSite, type Site } from './site.ts';

/** What one configuration defines: who may call what, and what becomes of a request. */
export interface Deployment {
  readonly config: GatewayConfig;
  readonly downstreams: Downstreams;
  readonly site: Site;
  readonly cors: CorsPolicy;
  readonly tokenRules: TokenRules;
  readonly nativeAuth: NativeAuth | undefined;
  readonly api: ApiHandler;
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
type Parts = Omit<Deployment, 'api'> & { readonly trustedProxies: ReturnType<typeof toNetworks> | undefined };

/** Makes what one configuration defines. */
export function deploy({ config, downstreams, resource, before }: DeploymentOptions, core: Core): Deployment {
  const { cors, trustedProxies: networks } = config.server;
  const trustedProxies = networks.length === 0 ? undefined : toNetworks(networks);
  const parts = {
    config,
    downstreams,
    site: describeSite(resource, core),
    cors: new CorsPolicy(cors.origins, cors.exposedHeaders),
    tokenRules: keepEqual(tokenRulesOf(config), before?.tokenRules),
    nativeAuth: openNativeAuth({ config, trustedProxies, before }, core),
    trustedProxies,
  };
  return { ...parts, api: createApi(parts, core) };
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

function createApi(parts: Parts, core: Core): ApiHandler {
  const { config, site, cors, nativeAuth, trustedProxies } = parts;
  const { logger, audit, metrics, authority, keys, tracing } = core;
  const { server, contract, log } = config;
  const { resource, publicUrl, frame, security } = site;
  const logRequest = createRequestLog(logger, {
    requests: log.requests,
    audit: log.audit === undefined ? undefined : audit,
    trustedProxies,
  });
  const requestSpans = tracing && createRequestSpans({ tracing, publicUrl, trustedProxies });
  return createApiHandler({
    steps: traced(bindSteps(parts, core), requestSpans, parts, core),
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
    onRequest(req, record) {
      requestSpans?.end(req, record);
      logRequest(req, record);
      metrics.recordRequest(req, record);
    },
  });
}

/** The steps as they are, or those that also make spans where traces are sent. */
function traced(steps: Steps, requests: RequestSpans | undefined, { config }: Parts, { tracing }: Core): Steps {
  if (requests === undefined || tracing === undefined) {
    return steps;
  }
  const addresses = Object.entries(config.downstreams).map(([name, { baseUrl }]) => [name, new URL(baseUrl)] as const);
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

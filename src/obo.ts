import type { IncomingMessage } from 'node:http';
import { createCore, type Core } from './composition/core.ts';
import { deploy, type Deployment } from './composition/deployment.ts';
import { DownstreamUse, openDownstreams } from './composition/downstreams.ts';
import { loadAhead } from './composition/load-ahead.ts';
import type { Environment } from './config/environment.ts';
import { loadApplicationConfig, type GatewayConfig } from './config/load-config.ts';
import { logNotices } from './contract/log-notices.ts';
import type { Authority } from './entra/authority.ts';
import { watchCredential } from './exchange/watch-credential.ts';
import { ConfigError } from './failures.ts';
import { RequestAccount } from './inbound-request.ts';
import type { Protection, ScopeRules } from './library/access.ts';
import { createAnswerErrors, toProblemAnswer, type AnswerErrors, type ProblemAnswer } from './library/answer-errors.ts';
import { createDownstreamClient, type DownstreamClient } from './library/downstream-client.ts';
import { DownstreamCaller } from './library/downstream-caller.ts';
import { checkKeys } from './library/known-keys.ts';
import type { OboError } from './library/obo-error.ts';
import { findDownstream } from './library/named-downstream.ts';
import { Guard, instanceClosed } from './library/protect.ts';
import { createProxy, type Middleware } from './library/proxy.ts';
import { Requests, type MessageLike } from './library/requests.ts';
import { createStrategy, type OboStrategy } from './library/strategy.ts';
import { OboUsageError } from './library/usage-error.ts';
import type { Principal } from './session/principal.ts';
import { bridgeLogger, type ApplicationLogger } from './telemetry/bridge-logger.ts';
import type { Logger } from './telemetry/logger.ts';
import { loadOpenTelemetry } from './telemetry/otlp/load.ts';
import type { OpenTelemetry } from './telemetry/otlp/open-telemetry.ts';

/** Who calls, as `protect` found out. */
export interface OboCaller {
  readonly principal: Principal;
}

declare global {
  // eslint-disable-next-line typescript/no-namespace -- this is how Express lets others describe what they add to a request
  namespace Express {
    interface Request {
      /** Who calls; there once `protect` of obo-gateway has let the caller in. */
      obo: OboCaller;
    }
  }
}

/** What {@link createObo} is made from. */
export interface OboOptions {
  /**
   * The path of gateway.yaml, or an object of the same form. `contract`, `server` and the `baseUrl` of downstreams are
   * needed only by what uses them.
   */
  readonly config: string | object;
  /** Anything with pino's methods. Default: nothing is logged. */
  readonly logger?: ApplicationLogger;
  /**
   * Where `${NAME}`, the variables of OpenTelemetry and those of proxies for downstreams are looked up; the proxies of
   * calls to Entra are always those of the process. Default: `process.env`.
   */
  readonly env?: Environment;
}

/** Whether requests can be served now. */
export interface OboHealth {
  readonly ready: boolean;
  /** Why not; `undefined` when they can. */
  readonly reason: string | undefined;
}

/** Entra for an application of your own: who calls, and calls to downstream APIs on behalf of the caller. */
export interface Obo {
  /**
   * Makes a handler that lets in whom one of the alternatives describes; without any, every caller with a valid token. It
   * sets `req.obo`, and passes every refusal to `next`.
   *
   * @throws {OboUsageError} for what no token of this API can meet
   */
  protect(...alternatives: readonly Protection[]): Middleware;
  /**
   * Makes a strategy of passport by the same rules; the principal is `req.user`, too.
   *
   * @throws {OboUsageError} for what no token of this API can meet
   */
  strategy(...alternatives: readonly Protection[]): OboStrategy;
  /**
   * Gives the client of a downstream, bound to the caller of a request.
   *
   * @param name as in `downstreams` of the configuration
   * @throws {OboUsageError} for a request that `protect` did not let in, and for a name that is not configured
   */
  downstream(req: MessageLike, name: string): DownstreamClient;
  /** Makes the error handler that answers refusals with challenges and problems, and passes every other error on. */
  answerErrors(): AnswerErrors;
  /**
   * Makes the answer to an error for other frameworks than Express.
   *
   * @param req the request that it belongs to, or what a framework puts around it (`raw`)
   * @returns `undefined` for what is not an error of this instance
   */
  toProblem(error: unknown, req?: MessageLike): Promise<ProblemAnswer | undefined>;
  /**
   * Makes the handler that serves the operations of the contract below the path at which it is mounted.
   *
   * @throws {ConfigError} without a contract
   */
  proxy(): Middleware;
  /** Gives the metrics as text for Prometheus. */
  metrics(): Promise<string>;
  /** Says whether requests can be served now. */
  health(): OboHealth;
  /** Ends all that is under way, and lets go of all connections. */
  close(): Promise<void>;
}

/** Milliseconds between two sweeps of expired sessions. */
const SWEEP_INTERVAL_MS = 1_000;

/**
 * Makes an instance from a configuration. It listens nowhere, keeps no process alive, and shares nothing with other
 * instances. It does not wait for the signing keys of Entra: {@link Obo.health} says when they are here.
 *
 * @param options the configuration, and where its values and its log go
 * @throws {ConfigError} with everything that is wrong with the configuration
 * @throws {OboUsageError} for options that it does not know, and without a configuration
 */
export async function createObo(options: OboOptions): Promise<Obo> {
  checkOptions(options);
  const { config: given, logger, env = process.env } = options;
  const config = await loadApplicationConfig(given, env);
  const openTelemetry = await loadOpenTelemetry(config.openTelemetry);
  const ends: End[] = [() => openTelemetry?.close()];
  try {
    return await open(config, { logger: bridgeLogger(logger, config.log.level, openTelemetry), openTelemetry }, ends);
  } catch (error) {
    await endAll(ends);
    throw error;
  }
}

/** Ends a part of an instance. */
type End = () => unknown;

async function endAll(ends: readonly End[]): Promise<void> {
  for (const end of ends.toReversed()) {
    await end();
  }
}

/** @param ends gets what ends each part that was opened, also where a later one fails */
async function open(
  config: GatewayConfig,
  { logger, openTelemetry }: { readonly logger: Logger; readonly openTelemetry: OpenTelemetry | undefined },
  ends: End[],
): Promise<Obo> {
  const core: Core = createCore(config, { logger, openTelemetry, sharesProcess: true }, () => ({
    config,
    downstreams,
  }));
  ends.push(() => {
    core.http.close();
    core.redis?.close();
    core.audit.close();
  });
  const downstreams = openDownstreams(config, core.clocks.monotonicMs);
  const use = new DownstreamUse();
  use.begin(downstreams);
  ends.push(() => use.destroy());
  const deployment = deploy({ config, downstreams, resource: config.server.publicUrl, isMounted: true }, core);
  await core.redis?.open();
  let isEnded = false;
  core.keys.start();
  void loadAhead(core.keys, () => isEnded);
  logNotices(config.contract, logger);
  const endWatch = watchCredential(config.identity.credential, logger);
  const sweeping = setInterval(() => {
    core.sessions.sweep();
    core.memoryGuard.check();
  }, SWEEP_INTERVAL_MS).unref();
  ends.push(() => {
    isEnded = true;
    core.keys.stop();
    clearInterval(sweeping);
    endWatch();
  });
  return assemble(config, deployment, core, () => endAll(ends));
}

/** Programs without types may give anything. */
function checkOptions(options: unknown): void {
  if (typeof options === 'object' && options !== null) {
    checkKeys('createObo()', options, ['config', 'logger', 'env']);
  }
  const { config } = Object(options) as Partial<OboOptions>;
  if (typeof config !== 'string' && (typeof config !== 'object' || config === null)) {
    throw new OboUsageError(
      "createObo() takes its configuration as config, a path or an object: createObo({ config: 'gateway.yaml' }).",
    );
  }
}

function assemble(config: GatewayConfig, deployment: Deployment, core: Core, end: () => Promise<void>): Obo {
  const { site, cors, bindSteps, onRequest, api } = deployment;
  const { metrics, keys, client } = core;
  const requests = new Requests({
    account: new RequestAccount({ inFlight: metrics.inFlight, onRequest }),
    frame: site.frame,
    ownHeaders: (origin) => [...cors.headersFor(origin), ...site.security.own],
    onUnanswered: remindOfAnswerErrors(core.logger),
  });
  const addresses = new Map(Object.entries(config.downstreams).map(([name, { baseUrl }]) => [name, { name, baseUrl }]));
  const onDoubtful = warnOncePerScope(core.logger);
  let ending: Promise<void> | undefined;
  const guard = (ways: readonly Protection[]): Guard =>
    new Guard(ways, {
      requests,
      bindSteps,
      rules: {
        audiences: config.identity.audiences,
        foreignResources: listResources(config, core.authority),
        declared: config.contract.scopes,
        onDoubtful,
      },
      isClosed: () => ending !== undefined,
    });
  return {
    protect(...alternatives) {
      const one = guard(alternatives);
      return (req, res, next) => {
        one.admit(req, res).then(({ admission }) => {
          setCaller(req, (admission as NonNullable<typeof admission>).session.principal);
          next();
        }, next);
      };
    },
    strategy: (...alternatives) => createStrategy(guard(alternatives), setCaller),
    downstream(req, name) {
      const downstream = findDownstream(name, addresses);
      const request = requests.find(req);
      if (request?.admission === undefined) {
        throw new OboUsageError(NOT_PROTECTED);
      }
      return createDownstreamClient(new DownstreamCaller(request, request.admission, name, metrics), downstream);
    },
    answerErrors: () => createAnswerErrors(requests),
    toProblem: (error, req) => toProblemAnswer(error, req, requests),
    proxy() {
      checkProxied(config);
      adviseOnWebSockets(config, core.logger);
      return createProxy(api, (req, res) => ending && requests.begin(req, res).refuse(instanceClosed()));
    },
    metrics: async () => (await metrics.render('text')).text,
    health() {
      const reason = ending ? 'closed' : keys.isReady ? client.whyNotReady() : 'no signing keys of Entra yet';
      return { ready: reason === undefined, reason };
    },
    close: () => (ending ??= end()),
  };
}

const NOT_PROTECTED =
  'obo.downstream(req, …) needs a request that this instance let in: put obo.protect() before the handler, as in ' +
  "app.get('/dashboard', obo.protect({ scopes: ['Dashboard.Read'] }), handler).";

function setCaller(req: IncomingMessage, principal: Principal): void {
  (req as IncomingMessage & { obo?: OboCaller }).obo = { principal };
}

/** Many routes ask for the same scope. */
function warnOncePerScope(logger: Logger): ScopeRules['onDoubtful'] {
  const told = new Set<string>();
  return (fields, message) => {
    const { scope } = fields;
    if (!told.has(`${message} ${scope}`)) {
      told.add(`${message} ${scope}`);
      logger.warn(fields, message);
    }
  };
}

/** The application id of Microsoft Graph in every tenant and cloud, which names it as a resource, too. */
const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';

/** The resources of the downstreams, and Microsoft Graph. */
function listResources({ downstreams }: GatewayConfig, authority: Authority): readonly string[] {
  const scopes = Object.values(downstreams).flatMap((downstream) => downstream.scopes);
  return [...new Set([...scopes.map((scope) => authority.resourceOf(scope)), authority.graph, GRAPH_APP_ID])];
}

/** Says once what is missing: every further request would say the same. */
function remindOfAnswerErrors(logger: Logger): (failure: OboError) => void {
  let isSaid = false;
  return ({ code, status }) => {
    if (!isSaid) {
      isSaid = true;
      logger.warn(
        { code, status, remedy: NOT_ANSWERED },
        'a refusal was answered by something else than obo.answerErrors()',
      );
    }
  };
}

const NOT_ANSWERED =
  'Add app.use(obo.answerErrors()) behind the routes and before other error handlers, so that clients get the challenge and the problem document.';

/** The server of an application keeps upgrades from its handlers, so that none can become a tunnel. */
function adviseOnWebSockets({ contract }: GatewayConfig, logger: Logger): void {
  const operations = contract.operations.filter(({ upgrade }) => upgrade !== undefined).map(({ name }) => name);
  if (operations.length > 0) {
    const remedy = 'Serve these operations with the gateway, or leave them out of the contract.';
    logger.warn({ operations, remedy }, 'obo.proxy() answers 426 to operations that are WebSockets');
  }
}

/** @throws {ConfigError} for what the operations of the contract cannot do without */
function checkProxied({ contract, downstreams }: GatewayConfig): void {
  if (contract.documents.length === 0) {
    throw new ConfigError([
      {
        at: 'contract',
        message: 'found nothing; allowed: the path of the OpenAPI document whose operations obo.proxy() serves',
      },
    ]);
  }
  const services = new Set(contract.operations.map(({ service }) => service));
  const faults = [...services]
    .filter((name) => downstreams[name]?.baseUrl === undefined)
    .map((name) => ({
      at: `downstreams.${name}.baseUrl`,
      message: 'found nothing; allowed: the http or https address of the API, because obo.proxy() sends calls there',
    }));
  if (faults.length > 0) {
    throw new ConfigError(faults);
  }
}

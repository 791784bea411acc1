import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { GatewayConfig } from '../config/load-config.ts';
import { Networks } from '../network/networks.ts';
import { GatewayError } from '../failures.ts';
import { answerFailureOnSocket } from '../http/answer-failure.ts';
import { createArrivalLog } from '../http/arrival-log.ts';
import type { AnswerFault } from '../http/connection.ts';
import {
  answerBarely,
  createHttpServer,
  type AdaptableLimits,
  type HttpServer,
  type HttpServerOptions,
} from '../http/server.ts';
import type { RequestHandler } from '../inbound-request.ts';
import { peerAddress } from '../request/client-address.ts';
import type { Core } from './core.ts';
import type { Deployment } from './deployment.ts';

/** What the log says when this process can open neither files nor connections. */
const NO_DESCRIPTORS = {
  reason: 'this process has no file descriptor left',
  remedy: 'Raise the limit of open files (ulimit -n), or lower server.maxConnections below it.',
};

/** What of a configuration limits the connections of callers. */
export function limitsOf({ server }: GatewayConfig): AdaptableLimits {
  const { keepAlive, maxConnections, proxyProtocol, trustedProxies } = server;
  return {
    keepAliveMs: keepAlive ?? 0,
    maxConnections,
    proxies: proxyProtocol === undefined ? undefined : new Networks(trustedProxies),
  };
}

/**
 * Makes the server for callers.
 *
 * @param current gives the deployment that counts now; `undefined` before there is any
 */
export function createListener(config: GatewayConfig, core: Core, current: () => Deployment | undefined): HttpServer {
  return createHttpServer(
    handOn(() => current()?.api),
    createParserRefusal(core, current),
    {
      ...limitsOf(config),
      headLimitBytes: config.server.headLimit,
      tls: core.tls,
      ...reportConnections(core, 'server'),
    },
  );
}

/**
 * Makes the server for engines, which ask about calls. It counts its connections apart from those of callers, by the same
 * limits.
 *
 * @param current gives the deployment that counts now; `undefined` before there is any
 */
export function createAuthorizationListener(
  config: GatewayConfig,
  core: Core,
  current: () => Deployment | undefined,
): HttpServer {
  return createHttpServer(
    handOn(() => current()?.authorizationService),
    createParserRefusal(core, current),
    {
      ...limitsOf(config),
      // Engines speak for callers, but nothing speaks for them.
      proxies: undefined,
      // What describes a call, and the token that was rejected, come besides the head of the call itself.
      headLimitBytes: 4 * config.server.headLimit,
      tls: core.authorizationTls,
      ...reportConnections(core, 'authorizationService'),
    },
  );
}

/** Makes the listener that hands each request to the handler of the configuration that counts now. */
function handOn(current: () => RequestHandler | undefined): RequestListener {
  return (req, res) => {
    const handler = current();
    if (handler === undefined) {
      answerBarely(res, 503);
    } else {
      handler.handle(req, res);
    }
  };
}

function reportConnections(
  { logger, clocks }: Core,
  listener: 'server' | 'authorizationService',
): Pick<HttpServerOptions, 'onRefusedArrival' | 'onDescriptorsExhausted'> {
  return {
    onRefusedArrival: createArrivalLog(logger, clocks.monotonicMs, listener),
    onDescriptorsExhausted: () => logger.error(NO_DESCRIPTORS, 'connections are dropped'),
  };
}

/** Makes what answers bytes that cannot be read as a request. */
function createParserRefusal({ logger, metrics }: Core, current: () => Deployment | undefined): AnswerFault {
  return (socket, fault, head) => {
    const deployment = current();
    if (deployment === undefined) {
      socket.destroy();
      return;
    }
    const { site, cors, nativeAuth } = deployment;
    // With CORS headers, so that a page can read the answer: that its token grew too large, for example.
    const origin = /^origin: *(\S+)/im.exec(head)?.[1];
    const requestId = randomUUID();
    const policy = nativeAuth?.cors.allows(origin) === true ? nativeAuth.cors : cors;
    const ownHeaders = ['x-request-id', requestId, ...policy.headersFor(origin), ...site.security.own];
    const place = { frame: site.frame, requestId, instance: '/', ownHeaders };
    const failure = new GatewayError(fault);
    answerFailureOnSocket(socket, failure, place);
    metrics.recordProblem(failure.code);
    const { code, rule } = failure;
    logger.info({ requestId, code, status: rule.status, clientAddress: peerAddress({ socket }) }, 'unreadable request');
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback, type ListenOptions } from '../loopback-server.ts';
import { callApi } from './api.ts';
import { passAnswer, passRefusal, refuseByItself } from './answer.ts';
import { TrafficLog } from '../traffic-log.ts';
import { beginCall, type Call } from './call.ts';
import { PagesAllowed } from './cors.ts';
import { valuesOf } from './headers.ts';
import { askWhetherItPasses, askWhyNot, type AskedQuestion, type Gateway, type Rejection } from './question.ts';
import { findRoute, type Route } from './routes.ts';

/** How to start the engine. */
export interface EngineOptions extends ListenOptions {
  /** The authorization service of the gateway: scheme, host and port. */
  readonly serviceOrigin: string;
  /** Where calls go. */
  readonly routes: readonly Route[];
  /** The origins of the pages that may call. */
  readonly origins: readonly string[];
  /** Milliseconds that the gateway has for an answer; default 10,000: the first call of a user waits for Entra. */
  readonly gatewayTimeoutMs?: number;
  /** Milliseconds that an API has for the head of its answer; default 5,000, as in the gateway.yaml of the demo. */
  readonly apiTimeoutMs?: number;
}

/** A call that is over. */
export interface CarriedCall {
  readonly requestId: string;
  readonly method: string;
  /** Path and query, as they arrived. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly ms: number;
  /** 0 where no answer was sent. */
  readonly status: number;
}

/** An engine that runs. */
export interface Engine {
  /** `http://localhost:{port}`. */
  readonly origin: string;
  /** Calls the listener for each further call once it is over; the answer ends that. */
  onCall(listener: (call: CarriedCall) => void): () => void;
  /** Calls the listener for each further question to the gateway once it is over; the answer ends that. */
  onQuestion(listener: (question: AskedQuestion) => void): () => void;
  /** Stops it. */
  close(): Promise<void>;
}

/** What calls are carried with. */
interface Setup {
  readonly gateway: Gateway;
  readonly routes: readonly Route[];
  readonly pages: PagesAllowed;
  readonly publicOrigin: string;
  readonly apiTimeoutMs: number;
  readonly calls: TrafficLog<CarriedCall>;
}

/** Bytes of a call's head: more than the gateway takes, so that it is the one who says what is too long. */
const MAX_HEAD_BYTES = 128 * 1_024;

/**
 * Starts an engine: a server that carries the calls of clients to their APIs itself, and asks the gateway about each. It
 * speaks the dialect of nginx, the one in which every part of the contract can be seen: the question, the question why a
 * call was refused, and the second question after a 401 of the API. docs/engines.md has the contract, and
 * deploy/engines/nginx the same as a configuration.
 *
 * It has no WebSockets, because the contract of the demo has none: an upgrade is carried as if it were not asked for.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { serviceOrigin, routes, origins, gatewayTimeoutMs = 10_000, apiTimeoutMs = 5_000 } = options;
  const calls = new TrafficLog<CarriedCall>();
  const questions = new TrafficLog<AskedQuestion>();
  const gateway = { origin: serviceOrigin, timeoutMs: gatewayTimeoutMs, questions };
  const pages = new PagesAllowed(origins);
  const listen = { port: options.port, host: options.host, maxHeadBytes: MAX_HEAD_BYTES };
  const server = await listenOnLoopback(listen, (publicOrigin) => {
    const setup: Setup = { gateway, routes, pages, publicOrigin, apiTimeoutMs, calls };
    return (req, res) => void handle(req, res, setup);
  });
  return {
    origin: server.origin,
    onCall: (listener) => calls.onRequest(listener),
    onQuestion: (listener) => questions.onRequest(listener),
    close: () => server.close(),
  };
}

async function handle(req: IncomingMessage, res: ServerResponse, setup: Setup): Promise<void> {
  const preflight = setup.pages.answerPreflight(req);
  if (preflight !== undefined) {
    res.writeHead(204, preflight).end();
    return;
  }
  const call = beginCall(req, res);
  tellWhenOver(call, setup.calls);
  // What is left of a body that nobody wanted would stand before the next request of the connection.
  res.once('finish', () => req.unpipe().resume());
  try {
    await carry(call, setup);
  } catch (error) {
    refuseByItself(call, error, setup.pages.headersFor(req.headers));
  }
}

/** Carries a call to its API, if the gateway says that it may pass; and once more, if the API says 401. */
async function carry(call: Call, { gateway, routes, pages, publicOrigin, apiTimeoutMs }: Setup): Promise<void> {
  const { req, hasBody } = call;
  const explain = async (rejection?: Rejection): Promise<void> =>
    passRefusal(await askWhyNot(call, gateway, rejection), call);
  const pass = (answer: IncomingMessage): Promise<void> => passAnswer(answer, call, pages.headersFor(req.headers));

  const first = await askWhetherItPasses(call, gateway);
  if (first === undefined) {
    return explain();
  }
  const api = { route: findRoute(routes, req.url ?? ''), publicOrigin, timeoutMs: apiTimeoutMs };
  const answer = await callApi(call, first.authorization, api);
  if (answer.statusCode !== 401) {
    return pass(answer);
  }

  const rejection = takeRejection(answer, first.authorization);
  if (hasBody) {
    // It has gone by as a stream. The client steps up at once, and sends it again.
    return explain({ ...rejection, attempt: 2 });
  }
  const second = await askWhetherItPasses(call, gateway, rejection);
  if (second === undefined) {
    return explain(rejection);
  }
  const secondAnswer = await callApi(call, second.authorization, api);
  if (secondAnswer.statusCode !== 401) {
    return pass(secondAnswer);
  }
  return explain({ ...takeRejection(secondAnswer, second.authorization), attempt: 2 });
}

/** Reads what the gateway has to know of a 401; nothing else of it is used, and none of it reaches the client. */
function takeRejection(answer: IncomingMessage, authorization: string | undefined): Rejection {
  answer.destroy();
  return { attempt: 1, challenges: valuesOf(answer.rawHeaders, 'www-authenticate'), authorization };
}

function tellWhenOver({ req, res, requestId }: Call, calls: Setup['calls']): void {
  const startedAt = Date.now();
  const start = performance.now();
  const { method = '', url: path = '' } = req;
  res.once('close', () => {
    const status = res.headersSent ? res.statusCode : 0;
    calls.add({ requestId, method, path, startedAt, ms: performance.now() - start, status });
  });
}

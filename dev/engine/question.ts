import type { IncomingMessage } from 'node:http';
import type { TrafficLog } from '../traffic-log.ts';
import type { Call } from './call.ts';
import { selectForGateway } from './headers.ts';
import { send } from './send.ts';

/** What the API said to a call: a 401, and to which token. */
export interface Rejection {
  /** How often the call was made: 1, when it can be made once more; otherwise 2, and then no other token comes. */
  readonly attempt: 1 | 2;
  /** The API's `WWW-Authenticate`, one for each line. */
  readonly challenges: readonly string[];
  /** The `Authorization` that it rejected. */
  readonly authorization: string | undefined;
}

/** Where questions go, and who hears of them. */
export interface Gateway {
  /** The authorization service: scheme, host and port. */
  readonly origin: string;
  /** Milliseconds that it has for an answer. */
  readonly timeoutMs: number;
  /** Hears of each question once it is over. */
  readonly questions: TrafficLog<AskedQuestion>;
}

/** A question that was asked. */
export interface AskedQuestion {
  readonly requestId: string;
  readonly endpoint: Endpoint;
  readonly attempt: Rejection['attempt'] | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly ms: number;
  /** 0 where there was no answer. */
  readonly status: number;
}

type Endpoint = '/check/nginx' | '/refusal/nginx';

/** The gateway did not say as agreed that a call may pass, or why it may not: the door stays closed. */
export class GatewaySilent extends Error {}

/** Statuses with which the gateway refuses to say anything of a call; why is asked as for any other refusal. */
const REFUSED: ReadonlySet<number> = new Set([400, 401, 413, 414, 431]);

/**
 * Asks whether a call may pass; once the API rejected its token, whether it may pass with another one.
 *
 * @returns the `Authorization` for the API, of which there is none where the call needs none; `undefined` for a refusal
 * @throws {GatewaySilent} for every answer that is neither
 */
export async function askWhetherItPasses(
  call: Call,
  gateway: Gateway,
  rejection?: Rejection,
): Promise<{ readonly authorization: string | undefined } | undefined> {
  const answer = await ask('/check/nginx', call, gateway, rejection);
  answer.resume();
  if (answer.statusCode === 200) {
    return { authorization: answer.headers.authorization };
  }
  if (REFUSED.has(answer.statusCode ?? 0)) {
    return undefined;
  }
  throw new GatewaySilent(`the gateway answered ${answer.statusCode}`);
}

/**
 * Asks why a call may not pass.
 *
 * @returns the refusal, which the client gets as it is
 * @throws {GatewaySilent} when it is none
 */
export async function askWhyNot(call: Call, gateway: Gateway, rejection?: Rejection): Promise<IncomingMessage> {
  const answer = await ask('/refusal/nginx', call, gateway, rejection);
  if ((answer.statusCode ?? 0) < 400) {
    answer.destroy();
    throw new GatewaySilent(`the gateway answered ${answer.statusCode}`);
  }
  return answer;
}

/** Describes the call in the dialect of nginx, without its body, and what the API said to it. */
async function ask(
  endpoint: Endpoint,
  { req, requestId, signal }: Call,
  { origin, timeoutMs, questions }: Gateway,
  rejection: Rejection | undefined,
): Promise<IncomingMessage> {
  const startedAt = Date.now();
  const start = performance.now();
  let status = 0;
  try {
    const answer = await send({
      origin,
      method: 'GET',
      target: endpoint,
      headers: selectForGateway(req.rawHeaders, [
        ['X-Request-Id', requestId],
        ['X-Forwarded-For', req.socket.remoteAddress],
        ['X-Original-Method', req.method],
        ['X-Original-URI', req.url],
        ['X-Downstream-Status', rejection && '401'],
        ['X-Downstream-Attempt', rejection && String(rejection.attempt)],
        ...(rejection?.challenges ?? []).map((challenge) => ['X-Downstream-Challenge', challenge] as const),
        ['X-Downstream-Authorization', rejection?.authorization],
      ]),
      timeoutMs,
      signal,
    });
    status = answer.statusCode ?? 0;
    return answer;
  } catch (error) {
    throw new GatewaySilent('the gateway did not answer', { cause: error });
  } finally {
    const ms = performance.now() - start;
    questions.add({ requestId, endpoint, attempt: rejection?.attempt, startedAt, ms, status });
  }
}

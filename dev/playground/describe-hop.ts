import type { DownstreamRequest } from '../demo-apis/demo-api.ts';
import type { EntraRequest } from '../emulator/emulator.ts';
import type { Exchange } from '../emulator/exchange.ts';
import type { CarriedCall } from '../engine/engine.ts';
import type { AskedQuestion } from '../engine/question.ts';
import { MAILBOX_USER_AGENT } from '../demo-apis/graph-on-behalf-of.ts';
import { findUser, type World } from '../emulator/world-model.ts';
import { MAILBOX_APP_ID } from '../emulator/world.ts';
import type { Party } from './hop.ts';
import type { NewHop } from './trace.ts';

/** The members of the gateway's log line of a request that a hop is made of. */
interface LogLine {
  readonly msg: string;
  /** When the request was over, ISO 8601. */
  readonly time: string;
  readonly ms: number;
  readonly requestId: string;
  readonly via?: 'check';
  readonly operation?: string;
  readonly method: string;
  readonly status: number;
  readonly code?: string;
  readonly token?: 'session' | 'redis' | 'entra';
  readonly correlationId?: string;
}

/** In the demo world nobody else speaks to Entra through axios. */
const GATEWAY_USER_AGENT = 'axios/';

/** Who sent a request to Entra. */
function findSender({ userAgent, exchange }: EntraRequest): Party {
  if (exchange?.clientId === MAILBOX_APP_ID) {
    return 'mailbox';
  }
  return userAgent?.startsWith(GATEWAY_USER_AGENT) ? 'gateway' : 'client';
}

const TOKEN_FROM = {
  session: 'with the downstream token that the gateway holds',
  redis: 'with the downstream token from Redis',
  entra: 'with a new downstream token from Entra',
};

/** The hop of a line of the gateway's log, if it is that of a request and not of a preflight. */
export function describeGatewayHop(text: string): NewHop | undefined {
  const line = JSON.parse(text) as LogLine;
  if (line.msg !== 'request' || (line.method === 'OPTIONS' && line.status === 204)) {
    return undefined;
  }
  return {
    from: line.via === undefined ? 'client' : 'engine',
    to: 'gateway',
    toldBy: 'gateway',
    startedAt: Date.parse(line.time) - line.ms,
    ms: line.ms,
    method: line.method,
    path: line.operation ?? '',
    status: line.status,
    correlationId: line.requestId,
    exchangesAs: line.correlationId,
    about: line.token === undefined ? '' : TOKEN_FROM[line.token],
    refusal: line.code,
    challenge: undefined,
  };
}

/** The hop of a call that the engine carried. */
export function describeCarriedCall({ requestId, ...call }: CarriedCall): NewHop {
  return {
    ...call,
    from: 'client',
    to: 'engine',
    toldBy: 'engine',
    path: withoutTokens(call.path),
    correlationId: requestId,
    exchangesAs: undefined,
    about: '',
    refusal: undefined,
    challenge: undefined,
  };
}

/** The hop of a question of the engine to the gateway. */
export function describeQuestion({ requestId, endpoint, attempt, startedAt, ms, status }: AskedQuestion): NewHop {
  return {
    from: 'engine',
    to: 'gateway',
    toldBy: 'engine',
    startedAt,
    ms,
    method: 'GET',
    path: endpoint,
    status,
    correlationId: requestId,
    exchangesAs: undefined,
    about: `${QUESTIONS[endpoint]}${attempt === undefined ? '' : AFTER_REJECTION[attempt]}`,
    refusal: undefined,
    challenge: undefined,
  };
}

const QUESTIONS: Readonly<Record<AskedQuestion['endpoint'], string>> = {
  '/check/nginx': 'may the call pass?',
  '/refusal/nginx': 'why may it not?',
};

const AFTER_REJECTION: Readonly<Record<1 | 2, string>> = {
  1: ' The API rejected its token',
  2: ' The API rejected its token, and it is not made once more',
};

/** The hop of a request to Entra, if its sender gave it an id; those for keys and metadata have none, nor preflights. */
export function describeEntraHop(request: EntraRequest, world: World): NewHop | undefined {
  const { exchange, correlationId, method } = request;
  if (correlationId === undefined || method === 'OPTIONS') {
    return undefined;
  }
  return {
    from: findSender(request),
    to: 'entra',
    toldBy: 'entra',
    startedAt: request.startedAt,
    ms: request.ms,
    method,
    path: request.path,
    status: request.status,
    correlationId,
    exchangesAs: undefined,
    about: exchange === undefined ? describeStep(request) : describeExchange(exchange, world),
    refusal: request.refusal ?? (exchange && describeRefusal(exchange)),
    challenge: undefined,
  };
}

/**
 * Who made a request to a demo API: the gateway and the engine say in `X-Forwarded-Host` how clients reach them, and let
 * nobody else say it.
 */
export function findCarrier({ headers }: DownstreamRequest, engineUrl: string): 'engine' | 'gateway' | 'mailbox' {
  if (headers['user-agent'] === MAILBOX_USER_AGENT && headers['x-forwarded-host'] === undefined) {
    return 'mailbox';
  }
  return headers['x-forwarded-host'] === new URL(engineUrl).host ? 'engine' : 'gateway';
}

/** The hop of a request to a demo API. */
export function describeDownstreamHop(to: Party, request: DownstreamRequest, engineUrl: string): NewHop {
  const { 'x-request-id': requestId } = request.headers;
  return {
    from: findCarrier(request, engineUrl),
    to,
    toldBy: to,
    startedAt: request.startedAt,
    ms: request.ms,
    method: request.method,
    path: withoutTokens(request.path),
    status: request.status,
    correlationId: typeof requestId === 'string' ? requestId : undefined,
    exchangesAs: undefined,
    about: '',
    refusal: undefined,
    challenge: request.challenge,
  };
}

const STEPS = {
  chooseUser: 'asks who it is',
  approveMfa: 'asks for MFA',
  consent: 'asks for consent',
  done: 'gives an authorization code',
};

function describeStep({ step, refusal }: EntraRequest): string {
  return step === undefined || refusal !== undefined ? '' : STEPS[step];
}

const ON_BEHALF_OF = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const GRANT_NAMES: Readonly<Record<string, string>> = {
  'urn:ietf:params:oauth:grant-type:device_code': 'device code',
  authorization_code: 'authorization code',
  continuation_token: 'continuation token',
  client_credentials: 'client credentials',
  refresh_token: 'refresh token',
};

function describeExchange({ grantType = '', subject, scope, claims }: Exchange, world: World): string {
  const person = findUser(world, subject ?? '')?.name;
  const isStepUp = CHALLENGE_CLAIM.test(claims ?? '');
  const grant =
    grantType === ON_BEHALF_OF
      ? [`on behalf of ${person ?? 'the caller'}`]
      : [GRANT_NAMES[grantType] ?? grantType, person];
  return [...grant, scope && `for ${scope}`, isStepUp && 'with the claims asked for'].filter(Boolean).join(', ');
}

/** What a challenge asks for; the `xms_cc` of every capable client is nothing to tell. */
const CHALLENGE_CLAIM = /"(?:acrs|capolids|polids|nbf)"/;

function describeRefusal({ error, errorCode }: Exchange): string | undefined {
  const code = errorCode === undefined ? undefined : `AADSTS${errorCode}`;
  return error === undefined ? undefined : [code, error].filter(Boolean).join(' ');
}

const TOKEN_PARAMETER = /([?&](?:access_token|id_token|refresh_token|code|assertion|client_secret)=)[^&]*/gi;

/** A caller may put a token into the query of a call that the gateway passes on. */
function withoutTokens(path: string): string {
  return path.replace(TOKEN_PARAMETER, '$1…');
}

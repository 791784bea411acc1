import type { DestinationStream } from 'pino';
import { IsoClock } from './iso-clock.ts';
import { streamOf, type Logger } from './logger.ts';
import type { RequestRecord } from './request-record.ts';

/** What is known of one kind of event. */
export interface EventRule {
  /** The level of its line; that of a request's line follows from whose fault the refusal is. */
  readonly level: 'info' | 'as the request';
  /** The members of its line besides `level`, `time`, `event` and `msg`; of a request, besides those of its line. */
  readonly fields: readonly string[];
  readonly msg: string;
}

/**
 * The events for audit by their names. Those of a request are told in its own line; the others have a line of their own.
 */
export const EVENTS = {
  'token.refused': { level: 'as the request', fields: [], msg: 'request' },
  'challenge.sent': { level: 'as the request', fields: ['claims', 'authContext', 'scopes'], msg: 'request' },
  'stepup.loop': { level: 'as the request', fields: [], msg: 'request' },
  'exchange.made': {
    level: 'info',
    fields: ['downstream', 'agent', 'caller', 'tid', 'oid', 'azp', 'correlationId', 'ms'],
    msg: 'Entra gave a downstream token',
  },
  'exchange.refused': {
    level: 'info',
    fields: ['downstream', 'agent', 'caller', 'tid', 'oid', 'azp', 'correlationId', 'ms', 'entra'],
    msg: 'Entra gave no downstream token',
  },
  'config.reloaded': {
    level: 'info',
    fields: ['outcome', 'changed', 'needRestart', 'faults'],
    msg: 'the configuration was read again',
  },
  'keys.changed': { level: 'info', fields: ['url', 'added', 'removed'], msg: 'the signing keys of Entra changed' },
  'credential.changed': { level: 'info', fields: ['key'], msg: 'a new credential is in use' },
} as const satisfies Record<string, EventRule>;

/** The name of an event. */
export type EventName = keyof typeof EVENTS;

/** An event with a line of its own. */
export type OwnEvent = { [E in EventName]: (typeof EVENTS)[E]['msg'] extends 'request' ? never : E }[EventName];

/** The members of an event's line; those that are `undefined` are left out. */
export type EventFields<E extends EventName> = Readonly<Record<(typeof EVENTS)[E]['fields'][number], unknown>>;

/** Writes the line of an event: to the log, as its level says, and to the audit log. */
export type RecordEvent = <E extends OwnEvent>(event: E, fields: EventFields<E>) => void;

/**
 * Makes the function that writes the events with lines of their own.
 *
 * @param audit the second destination; it gets every event, whatever the level of the log
 */
export function createEventLog(logger: Logger, audit: DestinationStream | undefined): RecordEvent {
  const stream = streamOf(logger);
  const bindings = logger.bindings();
  const clock = new IsoClock();
  return (event, fields) => {
    const { level, msg } = EVENTS[event];
    const line = `${JSON.stringify({ level, time: clock.now(), ...bindings, event, ...fields, msg })}\n`;
    if (logger.isLevelEnabled(level)) {
      stream?.write(line);
    }
    audit?.write(line);
  };
}

/** The refusals that say that a caller's token is not accepted. */
const TOKEN_REFUSALS: ReadonlySet<string> = new Set(['invalid_token', 'insufficient_scope', 'access_denied']);

/** The refusals that send the user to Entra. */
const CHALLENGES: ReadonlySet<string> = new Set(['insufficient_claims', 'interaction_required', 'consent_required']);

/**
 * Names the event that a refused request is; `undefined` for none. A token that Entra refuses is the event of its
 * exchange: what the gateway refuses by itself has not come as far as a downstream. What came to no operation is refused
 * for where it comes from (`authorizationService.callers`), and no token was looked at.
 */
export function eventOf({ error, operation, downstream }: RequestRecord): EventName | undefined {
  const code = error?.code ?? '';
  if (code === 'step_up_unsatisfiable') {
    return 'stepup.loop';
  }
  if (CHALLENGES.has(code) || error?.facts.claims !== undefined) {
    return 'challenge.sent';
  }
  const isOwnRefusal = operation !== undefined && downstream === undefined;
  return isOwnRefusal && TOKEN_REFUSALS.has(code) ? 'token.refused' : undefined;
}

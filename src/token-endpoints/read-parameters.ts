import { readJson } from '../contract/checks/json-text.ts';
import { GatewayError } from '../failures.ts';
import type { InboundRequest } from '../inbound-request.ts';
import type { BodyMemory } from '../request/body-memory.ts';
import { readWhole, sendContinue } from '../request/body.ts';
import { parseForm } from '../request/form.ts';
import { isJsonObject } from '../syntax/json.ts';

/** The parameters of a request by name. */
export type Parameters = ReadonlyMap<string, string>;

/** The longest body: a token of Entra has a few kilobytes. */
const MAX_BODY_BYTES = 16 * 1_024;

/** How long an application may pause between two pieces of a body. */
const IDLE_TIMEOUT_MS = 5_000;

/** How long a whole body may take. */
const BODY_DEADLINE_MS = 10_000;

const FORM = /^application\/x-www-form-urlencoded *(?:; *charset="?utf-8"? *)?$/i;
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;

/**
 * Reads the parameters from the body: a form, or JSON with a text or a boolean in each member.
 *
 * @param known every parameter that the endpoint has; one that it would leave unread is refused
 * @throws {GatewayError} `invalid_request`, `payload_too_large`, `request_timeout`, `overloaded`
 * @throws {CallerGone} when the caller hangs up in the middle
 */
export async function readParameters(
  { req, res }: InboundRequest,
  known: readonly string[],
  memory: BodyMemory,
): Promise<Parameters> {
  const { 'content-type': type = '', 'content-encoding': coding } = req.headers;
  const isForm = FORM.test(type);
  if ((!isForm && !JSON_TYPE.test(type)) || coding !== undefined) {
    throw refusal('Send application/json or application/x-www-form-urlencoded in UTF-8, without a Content-Encoding.');
  }
  const bytes = await readWhole(req, {
    limit: MAX_BODY_BYTES,
    askForBody: () => sendContinue(req, res),
    idleTimeout: IDLE_TIMEOUT_MS,
    deadlineMs: BODY_DEADLINE_MS,
    memory,
    lifetime: res,
  });
  const parameters = isForm ? readForm(bytes.toString('latin1')) : readMembers(bytes.toString('utf8'));
  if ([...parameters.keys()].some((name) => !known.includes(name))) {
    throw refusal(`Send no other parameters than ${known.join(', ')}.`);
  }
  return parameters;
}

/**
 * Finds a parameter that a request must have.
 *
 * @throws {GatewayError} `invalid_request`
 */
export function requireParameter(parameters: Parameters, name: string): string {
  const value = parameters.get(name) ?? '';
  if (value === '') {
    throw refusal(`Send the parameter ${name}.`);
  }
  return value;
}

/** Makes the refusal of a request that cannot be read. */
export function refusal(detail: string): GatewayError {
  return new GatewayError('invalid_request', { detail });
}

function readForm(text: string): Parameters {
  const form = parseForm(text);
  return new Map(form.names.map((name) => [name, form.get(name) ?? '']));
}

function readMembers(text: string): Parameters {
  const reading = readJson(text);
  if (reading === undefined || 'fault' in reading || !isJsonObject(reading.value)) {
    throw refusal('Send one JSON object that names each member once.');
  }
  return new Map(
    Object.entries(reading.value)
      // An absent member and one that is null are the same to most libraries that write JSON.
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, toText(value)]),
  );
}

function toText(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'boolean') {
    throw refusal('Send texts in the members of the JSON, and true or false in skip_cache.');
  }
  return String(value);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../failures.ts';
import { readWhole, sendContinue } from './body.ts';
import type { BodyMemory } from './body-memory.ts';
import { parseForm, type Form } from './form.ts';

/** The longest form. */
const MAX_FORM_BYTES = 16 * 1_024;

/** How long a caller may pause between two pieces of a form. */
const IDLE_TIMEOUT_MS = 5_000;

/** How long a whole form may take: a form is small, and its sender has not proved who it is. */
const FORM_DEADLINE_MS = 10_000;

const FORM = /^application\/x-www-form-urlencoded *(?:; *charset="?utf-8"? *)?$/i;

/**
 * Receives a form whose sender has not proved who it is: at most 16 kB, within 10 seconds.
 *
 * @throws {GatewayError} `invalid_request` for another type and for a form that can be read in two ways,
 *   `payload_too_large`, `request_timeout`
 * @throws {CallerGone} when the caller closes the connection before the end of its form
 */
export async function receiveForm(req: IncomingMessage, res: ServerResponse, memory: BodyMemory): Promise<Form> {
  const { 'content-type': type = '', 'content-encoding': coding } = req.headers;
  if (!FORM.test(type) || coding !== undefined) {
    throw new GatewayError('invalid_request', {
      detail: 'Send a form as application/x-www-form-urlencoded in UTF-8, without a Content-Encoding.',
    });
  }
  return parseForm((await receiveSmallBody(req, res, memory)).toString('latin1'));
}

/**
 * Receives a body by the limits of {@link receiveForm}, whatever its type.
 *
 * @throws {GatewayError} `payload_too_large`, `request_timeout`
 * @throws {CallerGone} when the caller closes the connection before its end
 */
export function receiveSmallBody(req: IncomingMessage, res: ServerResponse, memory: BodyMemory): Promise<Buffer> {
  return readWhole(req, {
    limit: MAX_FORM_BYTES,
    askForBody: () => sendContinue(req, res),
    idleTimeout: IDLE_TIMEOUT_MS,
    deadlineMs: FORM_DEADLINE_MS,
    memory,
    lifetime: res,
  });
}

import type { IncomingMessage } from 'node:http';
import { GatewayError, type RequestFault } from '../failures.ts';
import {
  hasBody,
  heldBody,
  NO_BODY,
  openBody,
  readWhole,
  type BodyReading,
  type OutgoingBody,
} from '../request/body.ts';
import { findMediaType, isUtf8, type BodyRule } from './body.ts';
import type { Operation } from './operation.ts';
import { readJson } from './json-text.ts';
import type { PathValues } from './path-template.ts';
import type { Check } from './schemas.ts';

/** Where the parameters of a request stand that are no headers. */
export interface ParameterInput {
  readonly values: PathValues;
  /** With its `?`; empty when there is none. */
  readonly query: string;
}

/** The parts of a request that the contract speaks of. */
export interface ValidationInput extends ParameterInput {
  readonly reading: BodyReading;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks the declared parameters and the declared JSON body of a request. What is not declared passes untouched, and a
 * body that nothing is to be checked of is not even read.
 *
 * @returns the body to send on
 * @throws {GatewayError} `invalid_request` with one entry for each fault, 50 for the body at most,
 *   `unsupported_media_type`, and what {@link readWhole} throws
 */
export function validate(
  req: IncomingMessage,
  operation: Pick<Operation, 'parameters' | 'body'>,
  input: ValidationInput,
): OutgoingBody | Promise<OutgoingBody> {
  const faults = checkParameters(req, operation.parameters, input);
  const rule = operation.body;
  if (!hasBody(req)) {
    refuse(rule?.required === true ? [...faults, { in: 'body', detail: 'is required' }] : faults);
    return NO_BODY;
  }
  const mediaType = rule && findMediaType(rule, req.headers['content-type'] ?? '');
  if (rule !== undefined && mediaType === undefined && rule.mediaTypes.some(({ json }) => json !== undefined)) {
    // Another name for the same JSON must not be a way around the check.
    refuse([...faults, { in: 'header', name: 'content-type', detail: `must be ${listRanges(rule)}` }]);
  }
  if (mediaType?.json !== undefined) {
    return validateJson(req, mediaType.json, faults, input.reading);
  }
  refuse(faults);
  return openBody(req, input.reading);
}

/**
 * Checks the declared parameters of a request and nothing else of it.
 *
 * @throws {GatewayError} `invalid_request` with one entry for each fault
 */
export function validateParameters(
  req: IncomingMessage,
  parameters: Operation['parameters'],
  input: ParameterInput,
): void {
  refuse(checkParameters(req, parameters, input));
}

function checkParameters(
  req: IncomingMessage,
  parameters: Operation['parameters'],
  { values, query }: ParameterInput,
): readonly RequestFault[] {
  if (parameters.length === 0) {
    return [];
  }
  // Not req.headers: of some headers that keeps the first line only, while all of them go on.
  const source = { path: values, query: new URLSearchParams(query), headers: req.headersDistinct };
  return parameters.flatMap((check) => check(source));
}

async function validateJson(
  req: IncomingMessage,
  check: Check,
  faults: readonly RequestFault[],
  reading: BodyReading,
): Promise<OutgoingBody> {
  if (!isUtf8(req.headers['content-type'] ?? '')) {
    throw new GatewayError('unsupported_media_type', {
      errors: [...faults, { in: 'header', name: 'content-type', detail: 'must not name another charset than UTF-8' }],
    });
  }
  if (req.headers['content-encoding'] !== undefined) {
    refuse([...faults, { in: 'header', name: 'content-encoding', detail: 'must be absent: the body is checked' }]);
  }
  if (req.headers.expect !== undefined) {
    // The caller would send the body only to hear what is known already.
    refuse(faults);
  }
  const bytes = await readWhole(req, reading);
  refuse([...faults, ...checkJson(bytes, check)]);
  return heldBody(bytes);
}

function checkJson(bytes: Buffer, check: Check): readonly RequestFault[] {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return [{ in: 'body', detail: 'must be JSON in UTF-8' }];
  }
  const reading = readJson(text);
  if (reading === undefined) {
    return [{ in: 'body', detail: 'must be JSON in UTF-8' }];
  }
  if ('fault' in reading) {
    return [{ in: 'body', ...reading.fault }];
  }
  return (check(reading.value) ?? []).map(({ pointer, detail }) => ({ in: 'body', pointer, detail }));
}

function listRanges({ mediaTypes }: BodyRule): string {
  return mediaTypes.map(({ range }) => range).join(' or ');
}

function refuse(faults: readonly RequestFault[]): void {
  if (faults.length > 0) {
    throw new GatewayError('invalid_request', { errors: faults });
  }
}

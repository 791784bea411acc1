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
import { checkFor, findMediaType, isUtf8, type BodyRule } from './checks/body.ts';
import type { Operation } from './operations/operation.ts';
import { readJson } from './checks/json-text.ts';
import { readQuery, type QueryPair } from './checks/parameters/query.ts';
import type { ParameterSource } from './checks/parameters/source.ts';
import type { EncodedValues, PathValues } from './routes/path-template.ts';
import type { Check } from './schema/schemas.ts';

/** Where the parameters of a request stand that are no headers. */
export interface ParameterInput {
  readonly values: PathValues;
  /** The same as they go on, encoded. */
  readonly encoded: EncodedValues;
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
  const contentType = req.headers['content-type'] ?? '';
  const mediaType = rule && findMediaType(rule, contentType);
  if (rule !== undefined && mediaType === undefined && rule.mediaTypes.some(({ json }) => json !== undefined)) {
    // Another name for the same JSON must not be a way around the check.
    refuse([...faults, { in: 'header', name: 'content-type', detail: `must be ${listRanges(rule)}` }]);
  }
  const check = checkFor(mediaType, contentType);
  if (check !== undefined) {
    return validateJson(req, check, faults, input.reading);
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
  input: ParameterInput,
): readonly RequestFault[] {
  if (parameters.length === 0) {
    return [];
  }
  const source = new RequestSource(req, input);
  return parameters.flatMap((check) => check(source));
}

/** A class, because an object with a getter takes ten times as long to make. */
class RequestSource implements ParameterSource {
  readonly path: PathValues;
  readonly encodedPath: EncodedValues;
  readonly search: string;
  readonly query: readonly QueryPair[];
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage, { values, encoded, query }: ParameterInput) {
    this.path = values;
    this.encodedPath = encoded;
    this.search = query;
    this.query = readQuery(query);
    this.#req = req;
  }

  /** Not req.headers: of some headers that keeps the first line only, while all of them go on. */
  get headers(): ParameterSource['headers'] {
    return this.#req.headersDistinct;
  }
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
  refuse([...faults, ...checkJson(bytes, check, reading)]);
  return heldBody(bytes);
}

/** @throws {GatewayError} `overloaded` when there is no memory to read it */
function checkJson(bytes: Buffer, check: Check, { memory }: BodyReading): readonly RequestFault[] {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return [{ in: 'body', detail: 'must be JSON in UTF-8' }];
  }
  const json = readJson(text, (size) => memory.demandRoom(size));
  if (json === undefined) {
    return [{ in: 'body', detail: 'must be JSON in UTF-8' }];
  }
  if ('fault' in json) {
    return [{ in: 'body', ...json.fault }];
  }
  return (check(json.value) ?? []).map(({ pointer, detail }) => ({ in: 'body', pointer, detail }));
}

function listRanges({ mediaTypes }: BodyRule): string {
  return mediaTypes.map(({ name }) => name).join(' or ');
}

function refuse(faults: readonly RequestFault[]): void {
  if (faults.length > 0) {
    throw new GatewayError('invalid_request', { errors: faults });
  }
}

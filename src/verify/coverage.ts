import { findMediaType } from '../contract/checks/body.ts';
import type { Answer } from './answer.ts';
import type { Case } from './case.ts';
import { isOwnRefusal } from './judge-problem.ts';
import type { TriedOperation, TriedParameter } from './load-operations.ts';
import { withoutParameter, type RequestParts } from './request-parts.ts';
import { findMediaTypeRule, findResponse } from './response-rules.ts';

/** How much of what a contract declares was tried. */
export interface Share {
  readonly declared: number;
  readonly tried: number;
}

/** How much of a contract a verification tried, in total and for each operation. */
export interface Coverage {
  readonly operations: Share;
  readonly parameters: Share;
  /** Media types of request bodies. */
  readonly bodies: Share;
  /** Statuses, each with each of its media types; tried is what a call got. */
  readonly responses: Share;
  readonly byOperation: readonly OperationCoverage[];
}

/** What was tried of one operation. */
export interface OperationCoverage {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  /** True when a call came further than the question who may call. */
  readonly tried: boolean;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly tried: boolean }[];
  readonly bodies: readonly { readonly mediaType: string; readonly tried: boolean }[];
  readonly responses: readonly ResponseCoverage[];
}

/** Whether a call got an answer that the contract declares. */
export interface ResponseCoverage {
  readonly status: string;
  /** Absent where the contract declares none. */
  readonly mediaType?: string;
  readonly tried: boolean;
}

/** Keeps what of a contract was tried. */
export class CoverageRecorder {
  readonly #operations: readonly TriedOperation[];
  /** What was tried: the operation itself, its parameters, and the rules of its bodies and responses. */
  readonly #tried = new Set<object>();

  constructor(operations: readonly TriedOperation[]) {
    this.#operations = operations;
  }

  /** Takes down a call and its answer. */
  readonly note = ({ operation, parts }: Pick<Case, 'operation' | 'parts'>, answer: Answer): void => {
    const response = findResponse(operation.responses, answer.status);
    const contentType = answer.headers.get('content-type')?.[0] ?? '';
    const met = response?.mediaTypes?.length ? findMediaTypeRule(response.mediaTypes, contentType) : response;
    this.#add(met);
    if (cameIn(answer)) {
      const { body } = operation;
      this.#add(operation);
      this.#add(body && parts.body && findMediaType(body.rule, parts.body.mediaType));
      operation.parameters
        .filter((parameter) => carries(parts, parameter))
        .forEach((parameter) => this.#add(parameter));
    }
  };

  /** What was tried so far. */
  report(): Coverage {
    const byOperation = this.#operations.map((operation) => this.#reportOperation(operation));
    return {
      operations: shareOf(byOperation),
      parameters: shareOf(byOperation.flatMap(({ parameters }) => parameters)),
      bodies: shareOf(byOperation.flatMap(({ bodies }) => bodies)),
      responses: shareOf(byOperation.flatMap(({ responses }) => responses)),
      byOperation,
    };
  }

  #add(part: object | undefined): void {
    if (part !== undefined) {
      this.#tried.add(part);
    }
  }

  #reportOperation(operation: TriedOperation): OperationCoverage {
    const { name, method, path, parameters, body, responses } = operation;
    return {
      operation: name,
      method,
      path,
      tried: this.#tried.has(operation),
      parameters: parameters.map((parameter) => ({
        in: parameter.declaration.in,
        name: parameter.declaration.name,
        tried: this.#tried.has(parameter),
      })),
      bodies: (body?.rule.mediaTypes ?? []).map((type) => ({ mediaType: type.name, tried: this.#tried.has(type) })),
      responses: responses.flatMap((response): ResponseCoverage[] =>
        response.mediaTypes?.length
          ? response.mediaTypes.map((type) => ({
              status: response.status,
              mediaType: type.range,
              tried: this.#tried.has(type),
            }))
          : [{ status: response.status, tried: this.#tried.has(response) }],
      ),
    };
  }
}

/** Refusals that come before anything of the request but its path, its method and its token is looked at. */
const BEFORE_REQUEST: readonly number[] = [401, 403, 404, 405];

function cameIn(answer: Answer): boolean {
  return !isOwnRefusal(answer) || !BEFORE_REQUEST.includes(answer.status);
}

function carries(parts: RequestParts, parameter: TriedParameter): boolean {
  const { in: place } = parameter.declaration;
  return place === 'path' || JSON.stringify(withoutParameter(parts, parameter)) !== JSON.stringify(parts);
}

function shareOf(parts: readonly { readonly tried: boolean }[]): Share {
  return { declared: parts.length, tried: parts.filter(({ tried }) => tried).length };
}

import type { TriedOperation } from '../../src/verify/load-operations.ts';
import { findResponse } from '../../src/verify/response-rules.ts';

/** An answer that was checked against the contract. */
export interface Reached {
  /** The name of the operation. */
  readonly operation: string;
  readonly status: number | undefined;
}

/** The declared answers of each operation that none of these has reached, as `listOrders 5XX`. */
export function findUnreached(operations: readonly TriedOperation[], reached: readonly Reached[]): string[] {
  return operations.flatMap(({ name, responses }) => {
    const rules = reached
      .filter(({ operation, status }) => operation === name && status !== undefined)
      .map(({ status = 0 }) => findResponse(responses, status));
    return responses.filter((rule) => !rules.includes(rule)).map(({ status }) => `${name} ${status}`);
  });
}

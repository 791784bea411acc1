import { RouteTable } from '../contract/routes/route-table.ts';
import { GatewayError } from '../failures.ts';
import { judgeAllow, judgeRefusal } from './judge-path.ts';
import type { TriedOperation } from './load-operations.ts';
import { conclude, skip, type Subject } from './outcome.ts';
import { composeSample } from './plan.ts';
import { toPath } from './request-parts.ts';
import type { GatewayClient } from './send.ts';
import type { Trial } from './trial.ts';

/** What wrong methods are tried with. */
export interface MethodTrialOptions {
  readonly client: GatewayClient;
  /** Whether to send methods that would change data if they were let in. */
  readonly write: boolean;
}

const SAFE = ['GET', 'OPTIONS'];
const CHANGING = ['DELETE', 'PATCH', 'PUT', 'POST'];

/** Tries on each path of the contract a method that it does not have there. */
export function planWrongMethods(operations: readonly TriedOperation[], options: MethodTrialOptions): Trial[] {
  const routes = new RouteTable<TriedOperation>();
  for (const operation of operations) {
    routes.add(operation.method, operation.path, false, operation);
  }
  const onePerPath = new Map(operations.map((operation) => [operation.path, operation]));
  return [...onePerPath.values()].flatMap((operation) => {
    const path = toPath(operation, composeSample(operation).parts);
    const allowed = findAllowed(routes, path);
    return allowed === undefined
      ? [toSkipped(operation, 'no valid value could be made for its path')]
      : planPath(operation, path, allowed, options);
  });
}

function planPath(
  operation: TriedOperation,
  path: string,
  allowed: readonly string[],
  { client, write }: MethodTrialOptions,
): Trial[] {
  const isWrong = (method: string): boolean => !allowed.includes(method);
  const methods = [SAFE.find(isWrong), write ? CHANGING.find(isWrong) : undefined].filter((name) => name !== undefined);
  if (methods.length === 0) {
    return [toSkipped(operation, 'every method that changes nothing is allowed')];
  }
  return methods.map((method) => {
    const named = { subject: operation.path, case: `with the method ${method}` };
    return {
      ...named,
      run: async () => {
        const answer = await client.ask({ method, target: `${client.basePath}${path}` });
        const refused = judgeRefusal(answer, path, 'method_not_allowed');
        return [conclude(named, answer.status, refused.length > 0 ? refused : judgeAllow(answer, allowed))];
      },
    };
  });
}

function toSkipped({ path }: TriedOperation, why: string): Trial {
  const named: Subject = { subject: path, case: 'with another method' };
  return { ...named, run: () => Promise.resolve([skip(named, why)]) };
}

/** Matches no operation, so that a route table names the methods that it has. */
const NO_METHOD = '';

function findAllowed(routes: RouteTable<TriedOperation>, path: string): readonly string[] | undefined {
  try {
    routes.match(NO_METHOD, path);
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error.facts.allow : undefined;
  }
}

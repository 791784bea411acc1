import { ConfigError } from '../failures.ts';
import { loadOperations } from './load-operations.ts';
import { planCases } from './plan.ts';
import { runCases, type Outcome, type RunOptions } from './run-cases.ts';
import { GatewayClient } from './send.ts';

/** What is verified, and with what. */
export interface VerifyOptions extends Omit<RunOptions, 'client'> {
  /** The path of the OpenAPI document. */
  readonly contract: string;
  /** Where the gateway is. */
  readonly url: URL;
}

/** No answer of any kind comes from the gateway. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/**
 * Walks a contract against a running gateway.
 *
 * @throws {ConfigError} when the contract cannot be used
 * @throws {UnreachableError} when nothing answers
 */
export async function verify({ contract, url, ...options }: VerifyOptions): Promise<Outcome[]> {
  const { operations } = await loadOperations(contract);
  if (operations.length === 0) {
    throw new ConfigError([{ at: 'contract', message: 'has no operation to try' }]);
  }
  const client = new GatewayClient(url);
  try {
    const fault = await client.findFault();
    if (fault !== undefined) {
      throw new UnreachableError(`nothing answers at ${url.origin}${url.pathname} (${fault})`);
    }
    return await runCases(planCases(operations), { ...options, client });
  } finally {
    await client.close();
  }
}
